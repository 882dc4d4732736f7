"""The action that takes backups."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.errors import UserError, WrongUse
from app.core.postgres import background, backup
from app.core.schedules import writing
from app.core.schedules.actions import Action, parse
from app.core.schedules.files import MAX_KEEP, FolderOptions
from app.core.schedules.work import TickWork
from app.db.engine import dsn_of

ENDING = "dump"


class BackupOptions(FolderOptions):
    """The folder of backups, and how many of them are kept."""

    keep_daily: int = Field(7, ge=0, le=MAX_KEEP)
    """The number of days with backups. The newest backup of each of them is kept."""

    keep_weekly: int = Field(4, ge=0, le=MAX_KEEP)
    """The number of weeks with backups. The newest backup of each of them is kept."""


def backup_action(outside: Sequence[Path]) -> Action:
    """Return the action that takes a backup.

    Args:
        outside: folders that must not contain the backups.
    """

    async def check(connection: AsyncConnection, options: Mapping[str, Any]) -> dict[str, Any]:
        parsed = parse(BackupOptions, options)
        await writing.check_folder(parsed, outside)
        try:
            # raises if pg_dump is not installed here, or is too old
            await asyncio.to_thread(backup.commands_for, dsn_of(connection.engine))
        except UserError as error:
            raise WrongUse(error.found, allowed=error.allowed, remedy=error.remedy) from error
        return parsed.model_dump()

    async def perform(work: TickWork) -> None:
        await writing.write_file(
            work,
            parse(BackupOptions, work.options),
            lambda file: background.write(dsn_of(work.db), file),
            ending=ENDING,
            endings=[ENDING],
            outside=outside,
        )

    return Action(check, perform)
