"""Programs of the project that share one import: each is a process, forked from one that imported.

The import is most of the processor time of a program that ends soon. What a test shows about the
program's own start, such as its imports, needs a process of its own.
"""

import contextlib
import fcntl
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from app.cli.group import COMMANDS
from harness import BACKEND, Process
from harness.timing import WAIT, scaled

_PARENT = """
import gc, io, json, os, runpy, select, signal, socket, sys

for name in json.loads(sys.argv[1]):
    __import__(name)
gc.freeze()
# nobody waits for the processes that wait
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
listening = socket.socket(fileno=int(sys.argv[2]))
while True:
    ready, _, _ = select.select([listening, 0], [], [])
    if listening not in ready:
        os._exit(0)
    asked, _ = listening.accept()
    if not os.fork():
        break
    asked.close()

listening.close()
signal.signal(signal.SIGCHLD, signal.SIG_DFL)
request, files, *_ = socket.recv_fds(asked, 1 << 20, 2)
if not request:
    os._exit(0)
if program := os.fork():
    asked.send(b"%d" % program)
    _, status = os.waitpid(program, 0)
    asked.send(b"%d" % os.waitstatus_to_exitcode(status))
    os._exit(0)

asked.close()
os.setsid()
# as in a program that is started from a shell
signal.signal(signal.SIGINT, signal.default_int_handler)
for each in (signal.SIGHUP, signal.SIGQUIT):
    signal.signal(each, signal.SIG_DFL)
words, env = json.loads(request)
nothing = os.open(os.devnull, os.O_RDONLY)
for number, file in enumerate((nothing, *files)):
    os.dup2(file, number)
for file in {nothing, *files}:
    os.close(file)
os.environ.clear()
os.environ.update(env)
out = io.TextIOWrapper(open(1, "wb"), "utf-8", line_buffering=os.isatty(1))
err = io.TextIOWrapper(open(2, "wb"), "utf-8", "backslashreplace", line_buffering=True)
sys.stdout = sys.__stdout__ = out
sys.stderr = sys.__stderr__ = err
sys.argv = words
runpy.run_module(words[0], run_name="__main__", alter_sys=True)
"""

_IMPORTED = (
    "app.main",
    "app.core.arq.shutdown",
    "app.core.arq.tasks",
    "arq.cli",
    "services.hybrid",
    "uvicorn.main",
    *sorted({each.module for each in COMMANDS.values()}),
)
"""Modules that read no settings when they are imported. The worker's own module does."""


class Program:
    """A process that was forked.

    Attributes:
        pid: its process id.
    """

    def __init__(self, asked: socket.socket, pid: int) -> None:
        self.pid = pid
        self._asked = asked

    def wait(self, seconds: float | None = None) -> int:
        """Wait for its end, and return its exit status, which is negative after a signal.

        Raises:
            TimeoutError: it has not ended after so many seconds.
        """
        if not select.select([self._asked], [], [], seconds)[0]:
            raise TimeoutError
        # several threads may wait
        return int(self._asked.recv(20, socket.MSG_PEEK))

    def close(self) -> None:
        """Close the connection on which its end is told."""
        self._asked.close()


class ForkedProcess(Process):
    """A worker or an API that was forked."""

    def __init__(
        self,
        name: str,
        words: Sequence[str],
        *,
        env: Mapping[str, str],
        log: Path,
        programs: "Programs",
    ) -> None:
        self._programs = programs
        super().__init__(name, words, env=env, log=log)

    def _begin(self, command: Sequence[str], env: Mapping[str, str], file: BinaryIO) -> None:
        self.args = command
        self.stdin = self.stdout = self.stderr = None
        self.returncode = None
        self._program = self._programs.start(command, env, file.fileno(), file.fileno())
        self.pid = self._program.pid

    def poll(self) -> int | None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is not None:
            return self.returncode
        try:
            self.returncode = self._program.wait(timeout)
        except TimeoutError:
            raise subprocess.TimeoutExpired(self.args, timeout or 0) from None
        return self.returncode

    def send_signal(self, sig: int) -> None:
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, sig)

    def end(self) -> None:
        super().end()
        self._program.close()


class Programs:
    """Starts programs. All processes of a test run share what was imported.

    Args:
        folder: a folder of all processes of this test run.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._importer: subprocess.Popen[bytes] | None = None

    def close(self) -> None:
        """End the process that imported, if it was started here. Others then start their own."""
        if self._importer is not None:
            self._importer.communicate()

    def start(self, words: Sequence[str], env: Mapping[str, str], out: int, err: int) -> Program:
        """Start a program, as ``python -m`` does with these words.

        Args:
            words: the name of its module, and its arguments.
            env: its whole environment.
            out: its stdout.
            err: its stderr.
        """
        request = json.dumps([list(words), dict(env)]).encode()
        while True:
            asked = self._connect()
            try:
                socket.send_fds(asked, [request], [out, err])
                return Program(asked, int(asked.recv(20)))
            except (ConnectionError, ValueError):
                # the process that imported has just ended with the tests that started it
                asked.close()

    def run(
        self, words: Sequence[str], env: Mapping[str, str], seconds: float | None = WAIT
    ) -> "subprocess.CompletedProcess[str]":
        """Run a program to its end, and return what it wrote.

        Raises:
            TimeoutError: it took longer than `seconds`, scaled to this machine.
        """
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            program = self.start(words, env, out.fileno(), err.fileno())
            try:
                status = program.wait(None if seconds is None else scaled(seconds))
            except TimeoutError:
                os.kill(program.pid, signal.SIGKILL)
                program.wait()
                raise
            finally:
                program.close()
            said = []
            for file in (out, err):
                file.seek(0)
                said.append(file.read().decode())
        return subprocess.CompletedProcess(words, status, *said)

    def _connect(self) -> socket.socket:
        address = str(self._folder / "socket")
        asked = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with (self._folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            try:
                asked.connect(address)
            except (FileNotFoundError, ConnectionRefusedError):
                self._import(address)
                asked.connect(address)
        return asked

    def _import(self, address: str) -> None:
        Path(address).unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listening:
            listening.bind(address)
            listening.listen(100)
            number = listening.fileno()
            self._importer = subprocess.Popen(
                [sys.executable, "-c", _PARENT, json.dumps(_IMPORTED), str(number)],
                cwd=BACKEND,
                stdin=subprocess.PIPE,
                pass_fds=[number],
                # Ctrl-C ends the tests, and with them this
                start_new_session=True,
            )
