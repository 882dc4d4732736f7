"""Schedules that take a snapshot."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.ext.asyncio import AsyncConnection

from app.annotation.data.snapshots import MAX_NOTE, list_snapshots, take
from app.core.errors import WrongUse
from app.core.schedules.actions import Action, parse
from app.core.schedules.work import TickWork

_PREFIX = re.compile(r"[a-z][a-z0-9._-]{0,11}", re.ASCII)

_ENDINGS = ("%Y-%m-%d", "%Y-%m-%d-%H%M", "%Y-%m-%d-%H%M%S")
"""The endings of names: the date of the tick, with the time if the name exists."""


class SnapshotOptions(BaseModel):
    """The options of scheduled snapshots."""

    model_config = ConfigDict(extra="forbid", strict=True, use_attribute_docstrings=True)

    prefix: str
    """The beginning of the names, at most 12 characters. The day of the tick is appended."""

    note: str | None = Field(None, max_length=MAX_NOTE)
    """A note that is stored with each snapshot."""


def snapshot_action() -> Action:
    """Return the action that takes a snapshot."""
    return Action(_check, _perform)


async def _check(connection: AsyncConnection, options: Mapping[str, Any]) -> dict[str, Any]:
    del connection
    asked = parse(SnapshotOptions, options)
    if not _PREFIX.fullmatch(asked.prefix):
        raise WrongUse(
            f"{asked.prefix[:60]!r} cannot be the prefix of snapshots' names",
            allowed="at most 12 lower-case letters, digits, `.`, `-` and `_`, with a letter first",
        )
    return asked.model_dump(exclude_none=True)


async def _perform(work: TickWork) -> None:
    asked = parse(SnapshotOptions, work.options)
    # the end of the tick and the snapshot are committed together: one snapshot per tick
    async with work.db.begin() as connection:
        taken = {snapshot.name for snapshot in await list_snapshots(connection)}
        name = name_of(asked.prefix, work.tick.astimezone(ZoneInfo(work.zone)), taken)
        await work.done(connection, f"snapshot {name}", {"snapshot": name})
        await take(connection, name, note=asked.note, by=f"schedule {work.schedule}")


def name_of(prefix: str, tick: datetime, taken: set[str]) -> str:
    """Return the name of a snapshot.

    Args:
        prefix: the prefix of the name.
        tick: the time of the tick, in the time zone of the schedule.
        taken: the names of existing snapshots.
    """
    names = [f"{prefix}-{tick:{ending}}" for ending in _ENDINGS]
    return next((name for name in names if name not in taken), names[-1])
