"""Starts detached server processes, finds them by their data folders, and ends them."""

import contextlib
import random
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import click
import psutil

LOOPBACK = "127.0.0.1"
FIRST_OUTGOING_PORT = 32_768
"""The first port that Linux uses for outgoing connections by default."""
_SERVER_PORTS = range(20_000, FIRST_OUTGOING_PORT)
START_SECONDS = 60.0
STOP_SECONDS = 60.0
_POLL_SECONDS = 0.02

# referenced until they have ended, because Python warns about dropping an unawaited child process
_spawned: set[subprocess.Popen[bytes]] = set()

_GUARD = 'read _ || kill -"$2" "$1" 2>/dev/null'


class ServiceError(click.ClickException):
    """A server could not be found, started or stopped. The message contains the remedy."""


def free_port() -> int:
    """Return a TCP port of the loopback address that is free at the moment.

    The port is below those that the kernel uses for outgoing connections, which could otherwise
    occupy the port before the server does.
    """
    candidates = random.SystemRandom().sample(_SERVER_PORTS, 100)
    return next(filter(is_free, candidates))


def is_free(port: int) -> bool:
    """Return whether a server could listen on this port of the loopback address."""
    with socket.socket() as probe:
        # servers set this option too, so a connection in TIME_WAIT does not block the port
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def find(folder: Path, names: frozenset[str]) -> list[psutil.Process]:
    """Return the processes with one of these names and this working folder, parents first.

    Both servers run in their data folder, so the folder identifies them. A pid file cannot: after a
    SIGKILL or a reboot, its pid may belong to another program.
    """
    working_folder = str(folder.resolve())
    parents: dict[psutil.Process, int] = {}
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            # the folder first, because reading it takes a fifth of the time of reading the name
            if process.cwd() == working_folder and process.name() in names:
                parents[process] = process.ppid()
    pids = {process.pid for process in parents}
    return sorted(parents, key=lambda process: parents[process] in pids)


def spawn(command: Sequence[str], *, cwd: Path, log: Path) -> subprocess.Popen[bytes]:
    """Start a server that outlives this process and its terminal; its output goes to `log`."""
    with log.open("ab") as out:
        server = subprocess.Popen(  # noqa: S603 - the command is ours
            command,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    _spawned.add(server)
    return server


def reap(ended: Iterable[psutil.Process]) -> None:
    """Wait for servers that have ended, so that no zombie processes remain."""
    pids = {process.pid for process in ended}
    for server in tuple(_spawned):
        # a server that is about to end has left its data folder but is not a zombie yet
        if server.pid in pids:
            server.wait()
        if server.poll() is not None:
            _spawned.discard(server)


def await_true(what: Callable[[], bool], seconds: float) -> bool:
    """Poll `what` every 20 ms until it returns true; return False after `seconds`."""
    deadline = time.monotonic() + seconds
    while not what():
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True


def send(process: psutil.Process, signum: signal.Signals) -> None:
    """Send a signal to a process, if it still exists."""
    with contextlib.suppress(psutil.NoSuchProcess):
        process.send_signal(signum)


def tail(log: Path, lines: int = 5) -> str:
    """Return the last lines of a log, for an error message."""
    if not log.exists():
        return ""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])


class Guardian:
    """Ends a server when this process ends for any reason.

    A shell waits on a pipe that only this process has open for writing. PR_SET_PDEATHSIG would need
    no shell, but it reacts to the end of the starting *thread*, and an event loop ends its executor
    threads when it ends.
    """

    def __init__(self, pid: int, signum: signal.Signals) -> None:
        self._shell = subprocess.Popen(  # noqa: S603 - constant script, integer arguments
            ["/bin/sh", "-c", _GUARD, "guardian", str(pid), str(int(signum))],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def dismiss(self) -> None:
        """Stop guarding. After this, the server outlives this process."""
        self._shell.kill()
        self._shell.wait()
        if self._shell.stdin is not None:
            self._shell.stdin.close()
