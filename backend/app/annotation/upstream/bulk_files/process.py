"""Has a bulk file read by a process of its own, so that the event loop is never held up.

Spawned, never forked: a forked child would inherit the liveness socket of its worker and keep the
dead worker's lock.
"""

import asyncio
import contextlib
import logging
import os
import sys
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Any

import msgspec

import app
from app.annotation.upstream.bulk_files.messages import LONGEST, Done, Order, Part, Unreadable
from app.core.errors import KidneyGeneticsError

logger = logging.getLogger(__name__)

_CHILD = f"{__package__}.child"
_BACKEND = Path(app.__file__).parents[1]


class UnreadableFile(KidneyGeneticsError):
    """The downloaded file is cut short or is not what it should be."""


class ReadingProcessDied(KidneyGeneticsError):
    """The process ended without an answer: killed, or an error of ours."""


async def read_in_child(
    reader: str, path: Path, asked: Any, *, of: Any, done: Callable[[Done], None]
) -> AsyncGenerator[list[Any], None]:
    """Read the file at ``path``.

    Args:
        reader: ``module:function``, see :mod:`app.annotation.upstream.bulk_files`.
        path: of the file.
        asked: what the reader is asked for, in what can be written as JSON.
        of: the type of what its lists hold.
        done: is told how much the file has, when all was given.

    Yields:
        What the reader gives.

    Raises:
        UnreadableFile: before anything is given, but when an answer is too long.
        ReadingProcessDied: at any time.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        # nothing of the folder that this process happens to be in
        "-P",
        "-m",
        _CHILD,
        str(os.getpid()),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=LONGEST + 1,
        env={**os.environ, "PYTHONPATH": str(_BACKEND)},
        start_new_session=True,  # Ctrl-C is for us; we end it
    )
    assert process.stdin
    assert process.stdout
    assert process.stderr
    said = asyncio.create_task(_log_lines(path.name, process.stderr))
    try:
        with contextlib.suppress(ConnectionError):  # it died: said below, with its last words
            process.stdin.write(msgspec.json.encode(Order(reader, str(path), asked)) + b"\n")
            await process.stdin.drain()
        async for line in process.stdout:
            message = msgspec.json.decode(line, type=Part | Unreadable | Done)
            match message:
                case Part(data):
                    yield msgspec.json.decode(data, type=list[of])
                case Unreadable(reason):
                    raise UnreadableFile(reason)
                case Done():
                    logger.info("read %s rows of %s", f"{message.rows:,}", path.name)
                    done(message)
                    return
        status = await process.wait()
        last_words = await said
        raise ReadingProcessDied(f"reading {path.name} ended with status {status}: {last_words}")
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        said.cancel()
        await asyncio.shield(process.wait())
        process.stdin.close()


async def _log_lines(name: str, stream: asyncio.StreamReader) -> str:
    """Log what the process says on stderr, and return its last line."""
    last = "it said nothing"
    async for line in stream:
        last = line.decode("utf-8", "replace").rstrip()
        logger.warning("the process that reads %s: %s", name, last)
    return last
