"""Reads a bulk file in a child process, so that the event loop is never blocked.

The process is spawned and never forked: a forked child would inherit the worker's liveness socket,
and so hold the advisory lock after the worker's death.
"""

import asyncio
import contextlib
import logging
import os
import sys
from collections.abc import AsyncGenerator, Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

import app
from app.annotation.upstream.bulk_files.messages import MAX_MESSAGE, Done, Order, Part, Unreadable
from app.core.errors import KidneyGeneticsError
from app.core.process.killing import kill

logger = logging.getLogger(__name__)

_CHILD = f"{__package__}.child"
_BACKEND = Path(app.__file__).parents[1]


class UnreadableFile(KidneyGeneticsError):
    """The downloaded file is truncated or does not have the expected format."""


class ReadingProcessDied(KidneyGeneticsError):
    """The process ended without an answer: it was killed, or the code has an error."""


async def read_in_child(
    reader: str, paths: Sequence[Path], request: Any, *, of: Any, done: Callable[[Done], None]
) -> AsyncGenerator[list[Any], None]:
    """Read files in a child process.

    Args:
        reader: ``module:function``, see :mod:`app.annotation.upstream.bulk_files`.
        paths: the paths of the files.
        request: the request for the reader. It must be serializable as JSON.
        of: the type of the elements of the reader's lists.
        done: called with the sizes of the files after the last list.

    Yields:
        The lists that the reader gives.

    Raises:
        UnreadableFile: a file cannot be used. It is raised before the first list, except when a
            list is too long.
        ReadingProcessDied: the process ended without an answer, possibly after some lists.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        # import nothing from the current folder of this process
        "-P",
        "-m",
        _CHILD,
        str(os.getpid()),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=MAX_MESSAGE + 1,
        env={**os.environ, "PYTHONPATH": str(_BACKEND)},
        start_new_session=True,  # Ctrl-C reaches only this process, which stops the child
    )
    assert process.stdin
    assert process.stdout
    assert process.stderr
    names = " and ".join(path.name for path in paths)
    stderr_log = asyncio.create_task(_log_lines(names, process.stderr))
    try:
        with contextlib.suppress(ConnectionError):  # the error below quotes its last line
            order = Order(reader, [str(path) for path in paths], request)
            process.stdin.write(msgspec.json.encode(order) + b"\n")
            await process.stdin.drain()
        async for line in process.stdout:
            message = msgspec.json.decode(line, type=Part | Unreadable | Done)
            match message:
                case Part(data):
                    yield msgspec.json.decode(data, type=list[of])
                case Unreadable(reason):
                    raise UnreadableFile(reason)
                case Done():
                    rows = [f"{file.rows:,}" for file in message.files]
                    logger.info("read %s rows of %s", " and ".join(rows), names)
                    done(message)
                    return
        status = await process.wait()
        last_words = await stderr_log
        raise ReadingProcessDied(f"reading {names} exited with status {status}: {last_words}")
    finally:
        kill(process)
        stderr_log.cancel()
        await asyncio.shield(process.wait())
        process.stdin.close()


async def _log_lines(name: str, stream: asyncio.StreamReader) -> str:
    """Log what the process writes to stderr, and return its last line."""
    last = "it wrote nothing to stderr"
    async for line in stream:
        last = line.decode("utf-8", "replace").rstrip()
        logger.warning("the process that reads %s: %s", name, last)
    return last
