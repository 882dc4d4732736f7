import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from harness.timing import WAIT, scaled
from tests.processes import left_over

BACKEND = Path(__file__).resolve().parents[3]


@pytest.fixture
def command(tmp_path: Path) -> list[str]:
    """The demo, in a folder whose name has a space."""
    folder = tmp_path / "a demo"
    return [sys.executable, "-m", "demo", "--genes", "1500", "--folder", str(folder)]


def test_a_worker_is_killed_half_way_and_no_gene_is_lost(
    command: list[str], tmp_path: Path
) -> None:
    done = subprocess.run(
        command, cwd=BACKEND, capture_output=True, text=True, check=False, timeout=scaled(110)
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"killed worker \d \(pid \d+\) with SIGKILL", done.stdout)
    assert re.search(r"recovery time after the kill: \d+\.\d s", done.stdout)
    assert "genes lost: 0" in done.stdout
    for source in ("hgnc", "ensembl", "clinvar"):
        assert re.search(rf"{source}\W+1,500 ", done.stdout)
    assert left_over(tmp_path) == []


@pytest.mark.usefixtures("as_from_a_shell")
def test_a_ctrl_c_stops_everything_that_was_started(command: list[str], tmp_path: Path) -> None:
    with subprocess.Popen(
        command, cwd=BACKEND, stdout=subprocess.PIPE, text=True, env=os.environ | {"LIVE": ""}
    ) as demo:
        assert demo.stdout is not None
        for line in demo.stdout:
            if "two workers run" in line:
                demo.send_signal(signal.SIGINT)
                break
        rest = demo.stdout.read()
        assert demo.wait(scaled(WAIT)) == 130, rest
    assert "everything that was started has ended" in rest
    assert left_over(tmp_path) == []
