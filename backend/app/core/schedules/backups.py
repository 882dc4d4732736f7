"""Schedules that take backups."""

import asyncio
import logging
import socket
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.errors import UserError, WrongUse
from app.core.postgres import background, backup
from app.core.schedules import files
from app.core.schedules.actions import Action, parse
from app.core.schedules.files import MAX_KEPT, FolderOptions
from app.core.schedules.work import TickWork
from app.core.words import size
from app.db.engine import dsn_of

logger = logging.getLogger(__name__)

ENDING = "dump"


class BackupOptions(FolderOptions):
    """Where backups go, and how many are kept."""

    keep_daily: int = Field(7, ge=0, le=MAX_KEPT)
    """The newest backup of each of the last so many days that have one is kept."""

    keep_weekly: int = Field(4, ge=0, le=MAX_KEPT)
    """The newest backup of each of the last so many weeks that have one is kept."""


def backup_action(outside: Sequence[Path]) -> Action:
    """Return the action that takes a backup.

    Args:
        outside: folders in which no backup may be.
    """

    async def check(connection: AsyncConnection, options: Mapping[str, Any]) -> dict[str, Any]:
        asked = parse(BackupOptions, options)
        files.usable_folder(asked.folder, outside)
        try:
            # refuses if pg_dump is not installed here, or too old
            await asyncio.to_thread(backup.commands_for, dsn_of(connection.engine))
        except UserError as error:
            raise WrongUse(error.found, allowed=error.allowed, remedy=error.remedy) from error
        return asked.model_dump()

    async def perform(work: TickWork) -> None:
        asked = parse(BackupOptions, work.options)
        folder = files.usable_folder(asked.folder, outside)
        file = folder / files.name_of(work.schedule, work.tick, ENDING)
        if not await asyncio.to_thread(files.begin, file, work.schedule):
            await background.write(dsn_of(work.db), file)
        await conclude(work, asked, file, endings=[ENDING])

    return Action(check, perform)


async def conclude(
    work: TickWork, options: FolderOptions, file: Path, *, endings: Collection[str]
) -> None:
    """Remove the files of a schedule that need not be kept, and record that its work is done.

    Args:
        work: which has written a complete file.
        options: of the schedule.
        file: that was written.
        endings: of the files that the action writes.
    """
    host = socket.gethostname()
    written = (await asyncio.to_thread(file.stat)).st_size
    said = f"{file}, {size(written)}, on {host}"
    removed: list[str] = []
    try:
        removed = await asyncio.to_thread(
            files.remove_surplus,
            file.parent,
            work.schedule,
            work.tick,
            options,
            endings=endings,
            zone=work.zone,
        )
    except OSError as error:
        logger.warning("an old file cannot be removed: %s", error)
        said += f"; an old file cannot be removed: {error.strerror or error}"
    if removed:
        said += f"; {len(removed)} older removed"
    async with work.db.begin() as connection:
        await work.done(connection, said, files.written(file, written, removed, host))
