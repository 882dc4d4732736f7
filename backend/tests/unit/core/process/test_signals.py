import signal
import subprocess
import sys

import pytest

from app.core.process import signals
from harness.timing import WAIT, scaled
from tests.plant import BACKEND

A_WORKER = """
import asyncio, logging
from app.core.arq import shutdown
from app.core.redis.patience import Patience

async def main():
    logging.basicConfig(level=logging.INFO)
    job = asyncio.create_task(asyncio.Event().wait())
    me = asyncio.current_task()
    shutdown.install(main=me, jobs={job}, patience=Patience("here"))
    print("ready", flush=True)
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        await asyncio.wait({job})
        print("put back", flush=True)

asyncio.run(main())
"""

STOPS = sorted(
    {
        *(signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGALRM),
        *(signal.SIGUSR1, signal.SIGUSR2, signal.SIGXCPU, signal.SIGPROF, signal.SIGVTALRM),
        *(signal.SIGPWR, signal.SIGIO, signal.SIGRTMIN, signal.SIGRTMAX),
    }
)


def start(*before: str) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [*before, sys.executable, "-c", A_WORKER],
        cwd=BACKEND,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def test_every_signal_that_would_end_a_worker_is_a_clean_stop() -> None:
    started = {number: start() for number in STOPS}
    for number, process in started.items():
        process.send_signal(number)
    for number, process in started.items():
        out, said = process.communicate(timeout=scaled(WAIT))
        assert (process.returncode, out) == (0, "put back\n"), (number, said)
        assert f"{signals.name(number)}: stopping, 1 jobs go back to the queue" in said


def test_a_worker_under_nohup_outlives_its_terminal() -> None:
    process = start("sh", "-c", 'trap "" HUP; exec "$@"', "sh")
    process.send_signal(signal.SIGHUP)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=scaled(WAIT))
    assert process.returncode == 0
    assert "SIGTERM: stopping" in said


def test_what_is_heeded_or_ignored_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    heeded = signal.signal(signal.SIGUSR1, lambda *_: None)
    ignored = signal.signal(signal.SIGUSR2, signal.SIG_IGN)
    try:
        assert not signals.unheeded() & {
            *(signal.SIGUSR1, signal.SIGUSR2, signal.SIGKILL, signal.SIGCHLD, signal.SIGSEGV)
        }
        assert signal.SIGHUP in signals.unheeded()
    finally:
        signal.signal(signal.SIGUSR1, heeded)
        signal.signal(signal.SIGUSR2, ignored)
