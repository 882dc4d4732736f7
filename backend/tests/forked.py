"""Programs of the project that share one import: each is a process, forked from one that imported.

The import is most of the processor time of a program that ends soon. What a test shows about the
program's own start, such as its imports, needs a process of its own.
"""

import json
import os
import socket
import subprocess
import sys
from types import TracebackType
from typing import Self

from app.cli.group import COMMANDS
from harness import BACKEND
from harness.timing import WAIT, scaled

_PARENT = """
import gc, io, json, os, runpy, signal, socket, sys

for name in json.loads(sys.argv[1]):
    __import__(name)
gc.freeze()
# nobody waits for the processes that wait
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
asked = socket.socket(fileno=0)
while True:
    request, files, *_ = socket.recv_fds(asked, 1 << 20, 3)
    if not request:
        os._exit(0)
    if os.fork():
        for file in files:
            os.close(file)
        continue
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    out, err, told = files
    if program := os.fork():
        _, status = os.waitpid(program, 0)
        os.write(told, b"%d" % os.waitstatus_to_exitcode(status))
        os._exit(0)
    break

asked.detach()
words, env = json.loads(request)
nothing = os.open(os.devnull, os.O_RDONLY)
for number, file in enumerate((nothing, out, err)):
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
    """A process that was forked."""

    def __init__(self, told: int) -> None:
        self._told = told

    def wait(self) -> int:
        """Wait for its end, and return its exit status."""
        with os.fdopen(self._told, "rb") as told:
            return int(told.read())


class Programs:
    """Starts programs, whose modules are imported once."""

    def __init__(self) -> None:
        self._ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _PARENT, json.dumps(_IMPORTED)],
                cwd=BACKEND,
                stdin=theirs,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._ours.close()
        self._process.wait(scaled(WAIT))

    def start(self, words: tuple[str, ...], env: dict[str, str], out: int, err: int) -> Program:
        """Start a program, as ``python -m`` does with these words.

        Args:
            words: the name of its module, and its arguments.
            env: its whole environment.
            out: its stdout.
            err: its stderr.
        """
        told, theirs = os.pipe()
        request = json.dumps([words, env]).encode()
        socket.send_fds(self._ours, [request], [out, err, theirs])
        os.close(theirs)
        return Program(told)
