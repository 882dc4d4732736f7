"""Performs the actions of schedules that write a file."""

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable, Collection, Sequence
from pathlib import Path

from app.core.schedules import files
from app.core.schedules.files import FolderOptions
from app.core.schedules.work import TickWork
from app.core.text.words import size

logger = logging.getLogger(__name__)


async def check_folder(options: FolderOptions, outside: Sequence[Path]) -> Path:
    """Return the folder of a schedule; see :func:`.files.usable_folder`."""
    # in a thread, because a network file system may respond slowly
    return await asyncio.to_thread(files.usable_folder, options.folder, outside)


async def write_file(
    work: TickWork,
    options: FolderOptions,
    write: Callable[[Path], Awaitable[object]],
    *,
    ending: str,
    endings: Collection[str],
    outside: Sequence[Path],
) -> None:
    """Write the file of a tick, remove the files that need not be kept, and record the end.

    An existing file is not written again, see :func:`.files.begin`.

    Args:
        work: the tick.
        options: the options of the schedule.
        write: writes the file, which gets its name when it is complete.
        ending: the extension of the file, without the dot.
        endings: the extensions of all files that the action writes.
        outside: folders that must not contain the file.
    """
    folder = await check_folder(options, outside)
    file = folder / files.name_of(work.schedule, work.tick, ending)
    if not await asyncio.to_thread(files.begin, file, work.schedule):
        await write(file)
    host = socket.gethostname()
    written = (await asyncio.to_thread(file.stat)).st_size
    summary = f"{file}, {size(written)}, on {host}"
    removed: list[str] = []
    try:
        removed = await asyncio.to_thread(
            files.remove_surplus,
            folder,
            work.schedule,
            work.tick,
            options,
            endings=endings,
            zone=work.zone,
        )
    except OSError as error:
        logger.warning("an old file of schedule %s cannot be removed: %s", work.schedule, error)
        summary += f"; an old file cannot be removed: {error.strerror or error}"
    if removed:
        summary += f"; {len(removed)} older removed"
    result = {"host": host, "file": str(file), "bytes": written, "removed": removed}
    async with work.db.begin() as connection:
        await work.done(connection, summary, result)
