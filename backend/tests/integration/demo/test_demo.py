"""A small demo. That of all genes is the first command of the tutorial."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from harness.timing import WAIT, scaled
from tests.plant import THREE_SOURCES
from tests.processes import left_over

BACKEND = Path(__file__).resolve().parents[3]


@pytest.fixture
def command(tmp_path: Path) -> list[str]:
    """The demo, in a folder whose name has a space."""
    folder = tmp_path / "a demo"
    return [sys.executable, "-m", "demo", "--genes", "600", "--folder", str(folder)]


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


def test_a_killed_worker_loses_no_gene(command: list[str], tmp_path: Path) -> None:
    done = subprocess.run(
        command,
        cwd=BACKEND,
        capture_output=True,
        text=True,
        env=os.environ | THREE_SOURCES | {"LIVE": ""},
        timeout=scaled(WAIT),
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"killed worker \d \(pid \d+\) with SIGKILL", done.stdout)
    assert "genes lost: 0" in done.stdout
    assert left_over(tmp_path) == []
