"""A small demo. That of all genes is the first command of the tutorial."""

import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
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


@contextmanager
def playing(command: list[str], env: Mapping[str, str]) -> Iterator[subprocess.Popen[str]]:
    """The demo, which also ends when the test fails."""
    env = os.environ | {"LIVE": "", "KEEP": ""} | env
    with subprocess.Popen(command, cwd=BACKEND, stdout=subprocess.PIPE, text=True, env=env) as demo:
        try:
            yield demo
        finally:
            if demo.poll() is None:
                demo.send_signal(signal.SIGINT)


def read_until(demo: subprocess.Popen[str], words: str) -> str:
    assert demo.stdout is not None
    shown = ""
    for line in demo.stdout:
        shown += line
        if words in line:
            return shown
    raise AssertionError(shown)


def page_of_the_run(shown: str) -> str:
    """The page whose address the demo shows, for somebody who logs in as it says."""
    address, token = re.search(r"run: (\S+)", shown), re.search(r"the token (\S+)", shown)
    assert address
    assert token
    with httpx.Client(headers={"Accept": "text/html"}, follow_redirects=True) as browser:
        login = browser.get(address[1])
        form = {"token": token[1], "next": login.url.params["next"]}
        page = browser.post(login.url, data=form, headers={"Sec-Fetch-Site": "same-origin"})
    assert str(page.url) == address[1]
    return page.text


def output_of(command: str, shown: str) -> str:
    """What a command prints in a shell that has the settings that the demo shows."""
    settings = next(line for line in shown.splitlines() if line.startswith("  . "))
    script = f"{settings} && {shlex.quote(sys.executable)} -m {command}"
    return subprocess.check_output(["sh", "-c", script], cwd=BACKEND, text=True)


@pytest.mark.usefixtures("as_from_a_shell")
def test_a_ctrl_c_stops_everything_that_was_started(command: list[str], tmp_path: Path) -> None:
    with playing(command, {}) as demo:
        read_until(demo, "two workers are running")
        demo.send_signal(signal.SIGINT)
        rest = demo.communicate(timeout=scaled(WAIT))[0]
        assert demo.returncode == 130, rest
    assert "all processes of the demo have ended" in rest
    assert left_over(tmp_path) == []


@pytest.mark.reliability
@pytest.mark.usefixtures("as_from_a_shell")
def test_a_killed_worker_loses_no_gene_and_the_pages_show_it(
    command: list[str], tmp_path: Path
) -> None:
    with playing(command, THREE_SOURCES | {"KEEP": "1"}) as demo:
        shown = read_until(demo, "until Ctrl-C")
        assert re.search(r"killed worker \d \(pid \d+\) with SIGKILL", shown)
        assert "genes lost: 0" in shown
        assert "no worker for" in page_of_the_run(shown)
        assert "succeeded" in output_of("app.cli show 1", shown)
        demo.send_signal(signal.SIGINT)
        rest = demo.communicate(timeout=scaled(WAIT))[0]
        assert demo.returncode == 0, rest
    assert "All processes of the demo have ended" in rest
    assert left_over(tmp_path) == []
