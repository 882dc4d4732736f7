"""Starts the child process of an export, and stops it when the export is no longer needed.

The process is spawned and never forked: a forked child would inherit the worker's liveness socket,
and so hold the advisory lock after the worker's death.
"""

import asyncio
import contextlib
import logging
import os
import sys
from asyncio import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import msgspec

import app
from app.annotation.data.export.order import Done, Failed, Message, Order, Progress, Started
from app.core.errors import KidneyGeneticsError, UserError
from app.core.process.killing import kill

logger = logging.getLogger(__name__)

READ_BYTES = 256 * 1024
"""Maximum number of bytes of the output read at a time."""

_CHILD = f"{__package__}.child"
_BACKEND = Path(app.__file__).parents[1]
_MAX_LINE = 1024**2


class ExportFailed(UserError):
    """The output cannot be written, or PostgreSQL is unavailable."""


class OutputClosed(KidneyGeneticsError):
    """The reader has closed the output."""


class ExportProcessDied(KidneyGeneticsError):
    """The process ended without an answer: it was killed, or the code has an error."""


@dataclass(slots=True)
class Export:
    """An export that is being written.

    Attributes:
        output: the output of the process, if it was started with a pipe.
    """

    output: asyncio.StreamReader | None
    _process: subprocess.Process
    _said: AsyncIterator[Message]

    async def finish(self, progress: Callable[[int], None] = lambda _: None) -> Done:
        """Wait until the export is complete.

        Args:
            progress: called with the number of genes written so far.

        Raises:
            ExportFailed, OutputClosed, ExportProcessDied: the export could not be completed.
        """
        async for message in self._said:
            match message:
                case Progress(genes):
                    progress(genes)
                case Done():
                    progress(message.genes)
                    for column, number in message.misfits.items():
                        logger.warning(
                            "%d values of %s have a wrong type; their cells are empty",
                            *(number, column),
                        )
                    return message
                case _:
                    raise _error(message)
        raise AssertionError("the messages end with Done or with an error")


@asynccontextmanager
async def exporting(order: Order, stdout: IO[bytes] | int) -> AsyncIterator[Export]:
    """Start a process that executes an order. The context waits for the end of the process.

    After the context was entered, the snapshot of the order is no longer needed.

    Args:
        order: the order.
        stdout: a file to write to, or ``asyncio.subprocess.PIPE``.

    Raises:
        ExportFailed, OutputClosed, ExportProcessDied: the process could not start.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        # import nothing from the current folder of this process
        *("-P", "-m", _CHILD, str(os.getpid())),
        stdin=subprocess.PIPE,
        stdout=stdout,
        stderr=subprocess.PIPE,
        limit=_MAX_LINE,
        env={**os.environ, "PYTHONPATH": str(_BACKEND)},
        start_new_session=True,  # Ctrl-C reaches only this process, which stops the child
    )
    assert process.stdin
    try:
        with contextlib.suppress(ConnectionError):  # the error below quotes its last line
            encoded = msgspec.msgpack.encode(order)
            process.stdin.write(b"%d\n%b" % (len(encoded), encoded))
            await process.stdin.drain()
        messages = _messages(process)
        async for first in messages:
            if not isinstance(first, Started):
                raise _error(first)
            break
        yield Export(process.stdout, process, messages)
    finally:
        kill(process)
        await asyncio.shield(_ended(process))


async def _ended(process: subprocess.Process) -> None:
    """Wait until a process has ended. asyncio notices this only when its pipes close."""
    for stream in (process.stdout, process.stderr):
        while stream is not None and await stream.read(READ_BYTES):
            pass
    await process.wait()
    assert process.stdin
    process.stdin.close()


async def _messages(process: subprocess.Process) -> AsyncIterator[Message]:
    """Yield the messages of the process, and log all other lines of its stderr.

    Raises:
        ExportProcessDied: the process ended without a final message.
    """
    assert process.stderr
    last = "it wrote nothing to stderr"
    async for line in process.stderr:
        try:
            message = msgspec.json.decode(line, type=Message)
        except msgspec.DecodeError:
            last = line.decode("utf-8", "replace").rstrip()
            logger.warning("the process that exports: %s", last)
            continue
        yield message
        if isinstance(message, Done | Failed):
            return
    status = await process.wait()
    raise ExportProcessDied(f"the export process exited with status {status}: {last}")


def _error(message: Message) -> Exception:
    assert isinstance(message, Failed)
    if message.of == "closed":
        return OutputClosed(message.reason)
    what = "cannot be written" if message.of == "output" else "cannot be read from PostgreSQL"
    return ExportFailed(f"the export {what}: {message.reason}")
