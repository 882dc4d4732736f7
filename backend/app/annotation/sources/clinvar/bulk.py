"""Has the bulk table read by a process of its own, so that the event loop is never held up.

Spawned, never forked: a forked child would inherit the liveness socket of its worker and keep the
dead worker's lock.
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
from app.annotation.sources.clinvar.attribution import WantedGene
from app.annotation.sources.clinvar.bulk_messages import Counts, Done, Order, Unreadable
from app.core.errors import KidneyGeneticsError

logger = logging.getLogger(__name__)

_LONGEST_MESSAGE = 64 * 1024**2
_CHILD = f"{__package__}.bulk_child"
_BACKEND = Path(app.__file__).parents[1]


class UnreadableTable(KidneyGeneticsError):
    """The downloaded table is cut short or is not the table."""


class BulkProcessDied(KidneyGeneticsError):
    """The process ended without an answer: killed, or an error of ours."""


async def count_in_child(
    path: Path, genes: Sequence[WantedGene], *, done: Callable[[Done], None] = lambda _: None
) -> AsyncGenerator[list[dict[str, Any] | None], None]:
    """Count the variants of each gene in the table at ``path``.

    Args:
        path: of the table.
        genes: to count.
        done: is told how much the table has, when all was given.

    Yields:
        The annotations of the next genes, in the order given; None for a gene without variants.

    Raises:
        UnreadableTable: before anything is given.
        BulkProcessDied: at any time.
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
        limit=_LONGEST_MESSAGE,
        env={**os.environ, "PYTHONPATH": str(_BACKEND)},
        start_new_session=True,  # Ctrl-C is for us; we end it
    )
    assert process.stdin
    assert process.stdout
    assert process.stderr
    said = asyncio.create_task(_log_lines(process.stderr))
    try:
        with contextlib.suppress(ConnectionError):  # it died: said below, with its last words
            process.stdin.write(msgspec.json.encode(Order(str(path), list(genes))) + b"\n")
            await process.stdin.drain()
        given = 0
        async for line in process.stdout:
            message = msgspec.json.decode(line, type=Counts | Unreadable | Done)
            match message:
                case Counts(data):
                    given += len(data)
                    yield data
                case Unreadable(reason):
                    raise UnreadableTable(reason)
                case Done():
                    logger.info("clinvar: read %s rows of %s", f"{message.rows:,}", path.name)
                    if given != len(genes):
                        raise BulkProcessDied(f"it counted {given} of {len(genes)} genes")
                    done(message)
                    return
        status = await process.wait()
        last_words = await said
        raise BulkProcessDied(f"reading {path.name} ended with status {status}: {last_words}")
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        said.cancel()
        await asyncio.shield(process.wait())
        process.stdin.close()


async def _log_lines(stream: asyncio.StreamReader) -> str:
    """Log what the process says on stderr, and return its last line."""
    last = "it said nothing"
    async for line in stream:
        last = line.decode("utf-8", "replace").rstrip()
        logger.warning("clinvar bulk process: %s", last)
    return last
