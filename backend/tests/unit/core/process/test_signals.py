import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from app.core.process import signals
from harness.timing import WAIT, scaled
from harness.waiting import until
from tests.plant import BACKEND

pytestmark = pytest.mark.usefixtures("as_from_a_shell")

A_WORKER = """
import asyncio, logging, os, sys
from app.core.arq import shutdown
from app.core.redis.retry import RedisRetry

async def main():
    logging.basicConfig(level=logging.INFO)
    job = asyncio.create_task(asyncio.Event().wait())
    me = asyncio.current_task()
    shutdown.install(main=me, jobs={job}, redis_retry=RedisRetry("here"))
    print("ready", flush=True)
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        await asyncio.wait({job})
        print("stopped", flush=True)

"""

ONE = A_WORKER + "asyncio.run(main())"

# it imports what a worker needs once for all of them; a line of `number status` when one has ended
SEVERAL = (
    A_WORKER
    + """
started = {}
for number in sys.argv[1:]:
    started[pid := os.fork()] = number
    if not pid:
        out = os.open(number, os.O_WRONLY | os.O_CREAT)
        os.dup2(out, 1), os.dup2(out, 2)
        asyncio.run(main())
        sys.exit()
    print(number, pid, flush=True)
while started:
    pid, status = os.wait()
    print(started.pop(pid), os.waitstatus_to_exitcode(status), flush=True)
"""
)

STOPS = sorted(
    {
        *(signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGALRM),
        *(signal.SIGUSR1, signal.SIGUSR2, signal.SIGXCPU, signal.SIGPROF, signal.SIGVTALRM),
        *(signal.SIGPWR, signal.SIGIO, signal.SIGRTMIN, signal.SIGRTMAX),
    }
)


def start(*before: str) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [*before, sys.executable, "-c", ONE],
        cwd=BACKEND,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def test_every_signal_that_would_end_a_worker_is_a_clean_stop(tmp_path: Path) -> None:
    numbers = [str(int(each)) for each in STOPS]
    with subprocess.Popen(
        [sys.executable, "-c", SEVERAL, *numbers],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(BACKEND)},
        stdout=subprocess.PIPE,
        text=True,
    ) as workers:
        assert workers.stdout is not None
        for _ in STOPS:
            number, pid = map(int, workers.stdout.readline().split())
            log = tmp_path / str(number)
            until(lambda log=log: log.exists() and "ready" in log.read_text())
            os.kill(pid, number)
        ended = dict(line.split() for line in workers.stdout)
    assert ended == dict.fromkeys(numbers, "0")
    for number in STOPS:
        said = (tmp_path / str(int(number))).read_text()
        assert f"{signals.name(number)}: stopping; 1 jobs go back to the queue" in said
        assert "stopped\n" in said


def test_a_worker_under_nohup_outlives_its_terminal() -> None:
    process = start("sh", "-c", 'trap "" HUP; exec "$@"', "sh")
    process.send_signal(signal.SIGHUP)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=scaled(WAIT))
    assert process.returncode == 0
    assert "SIGTERM: stopping" in said


def test_a_signal_that_is_handled_or_ignored_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    handled = signal.signal(signal.SIGUSR1, lambda *_: None)
    ignored = signal.signal(signal.SIGUSR2, signal.SIG_IGN)
    try:
        assert not signals.unhandled() & {
            *(signal.SIGUSR1, signal.SIGUSR2, signal.SIGKILL, signal.SIGCHLD, signal.SIGSEGV)
        }
        assert signal.SIGHUP in signals.unhandled()
    finally:
        signal.signal(signal.SIGUSR1, handled)
        signal.signal(signal.SIGUSR2, ignored)


AT_THE_VERY_END = """
import atexit, os, signal
atexit.register(os.kill, os.getpid(), signal.SIGTERM)  # what is registered first is called last
from app.core.process import signals
signals.ignore_at_exit({signal.SIGTERM})
"""


def test_a_signal_while_the_interpreter_ends_does_not_make_a_clean_stop_a_failure() -> None:
    without = AT_THE_VERY_END.replace("signals.ignore_at_exit", "str")
    for code, status in ((AT_THE_VERY_END, 0), (without, -signal.SIGTERM)):
        done = subprocess.run([sys.executable, "-c", code], cwd=BACKEND, check=False)
        assert done.returncode == status
