"""The doctor's checks of the history, the sizes of tables, and the disk."""

import asyncio
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, NamedTuple

from app.core.checks import Check, Context, Finding, check, ok, warning
from app.core.errors import EDIT_SETTINGS, START_API, START_WORKER
from app.core.text.words import size, some

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from app.annotation.settings import Settings

MAX_COUNTED_OLD = 10_000
"""The number up to which the rows of a kind are counted exactly."""

RUNS_AT_A_TIME = 2_000
"""The number of old runs examined in one statement."""

COUNTING_SECONDS = 0.5
"""Seconds after which counting old runs stops."""

OVERDUE_DAYS = 2
"""Days that old rows may remain, because nothing removes them while no worker is alive."""

MIN_FREE_BYTES = 2_000_000_000
"""Bytes that must be free. The largest file of a source takes about 500 MB, and twice that while a
newer one is downloaded. Its answers, a backup or an export may need as much."""

# the sizes come from the file system, and the numbers of rows from the last ANALYZE
_SIZES = """
    SELECT relname AS name, pg_total_relation_size(oid)::bigint AS bytes,
      greatest(reltuples, 0)::bigint AS rows
    FROM pg_class
    WHERE relkind = 'r'
      AND relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = 'runs'::regclass)
    ORDER BY bytes DESC
"""


@check(
    "database.sizes",
    "retention has removed all rows that the settings no longer keep",
    symptom="PostgreSQL's disk fills up with runs and events from years ago.",
    why="A living worker removes old rows about once an hour. If there is none, or it fails to"
    " remove them, the tables grow without limit.",
    needs=("database.migrated",),
)
async def sizes(context: Context) -> Finding:
    """Check the sizes of the tables, and count the rows that retention would remove."""
    from sqlalchemy import text

    from app.annotation.settings import Settings

    settings = context.settings
    assert isinstance(settings, Settings)
    tables = await context.rows(text(_SIZES))
    async with context.database().connect() as connection:
        old = await _count(connection, settings, later=0)
        overdue = (
            await _count(connection, settings, later=OVERDUE_DAYS) if any(old.values()) else {}
        )
    total = sum(table.bytes for table in tables)
    has = some([f"{table.name} {size(table.bytes)}" for table in tables])
    summary = f"{size(total)}: {has}; to be removed: {_counts_text(old)}"
    detail = {
        "bytes": {table.name: table.bytes for table in tables},
        "to_be_removed": {kind: found.number for kind, found in old.items()},
        "counted_in_full": not any(found.at_least for found in old.values()),
    }
    if not any(overdue.values()):
        return ok(summary, **detail)
    return warning(
        f"{_counts_text(overdue)} should have been removed {OVERDUE_DAYS} days ago",
        required="a worker that is alive and whose log has no error about retention",
        found=summary,
        remedy=START_WORKER if settings.use_arq_worker else START_API,
        **detail,
    )


class _Found(NamedTuple):
    """The number of rows of a kind that retention would remove.

    Attributes:
        number: the number of rows.
        at_least: whether there may be more rows that were not counted.
    """

    number: int
    at_least: bool

    def __bool__(self) -> bool:
        return self.number > 0


async def _count(
    connection: "AsyncConnection", settings: "Settings", *, later: int
) -> dict[str, _Found]:
    """Count the rows that would be removed if all were kept some days longer."""
    from app.core.retention import notifications, ticks, workers

    kinds = {
        "ticks": (ticks.count, settings.tick_days),
        "notifications": (notifications.count, settings.notification_days),
        "workers": (workers.count, settings.worker_days),
    }
    found = {"runs": await _count_runs(connection, settings.run_days + later)}
    for kind, (count, days) in kinds.items():
        number = await count(connection, days + later, limit=MAX_COUNTED_OLD)
        found[kind] = _Found(number, number == MAX_COUNTED_OLD)
    return found


async def _count_runs(connection: "AsyncConnection", days: int) -> _Found:
    from app.annotation.data.run_names import list_named
    from app.core.retention.runs import list_old, list_unneeded

    end = time.monotonic() + COUNTING_SECONDS
    number, after = 0, 0
    while True:
        old = await list_old(connection, days, after=after, limit=RUNS_AT_A_TIME)
        number += len(await list_unneeded(connection, old, list_named))
        if len(old) < RUNS_AT_A_TIME:
            return _Found(number, at_least=False)
        if number >= MAX_COUNTED_OLD or time.monotonic() > end:
            return _Found(number, at_least=True)
        after = old[-1]


def _counts_text(found: dict[str, _Found]) -> str:
    """Format the numbers of rows to be removed, by kind."""
    return some(
        [
            f"{'at least ' if each.at_least else ''}{each.number:,} {kind}"
            for kind, each in found.items()
            if each
        ]
        or ["nothing"]
    )


@check(
    "host.disk",
    "the disk of CACHE_DIR has room for new files",
    symptom="A run waits for `disk`, or an export or a backup fails halfway.",
    why="A run that cannot store a source's file waits until there is room. Free some space, or"
    " set CACHE_DIR to a larger disk. Workers remove the files that no source reads any more.",
    needs=("config.cache-dir",),
    remedy=EDIT_SETTINGS,
)
async def disk(context: Context) -> Finding:
    """Check the free space of the disk, and the files that retention would remove."""
    from app.annotation.data.file_retention import measure_room
    from app.annotation.settings import Settings

    assert isinstance(context.settings, Settings)
    settings = context.settings
    room = await asyncio.to_thread(measure_room, settings)
    has = (
        f"{size(room.files)} in CACHE_DIR, {size(room.unused)} of it to be removed;"
        f" {size(room.free)} are free on its disk"
    )
    if room.free >= MIN_FREE_BYTES:
        return ok(has, **asdict(room))
    return warning(
        f"the disk of CACHE_DIR ({settings.cache_dir}) has {size(room.free)} left",
        required=f"{size(MIN_FREE_BYTES)}; make room on the disk, or set CACHE_DIR to another one",
        found=has,
        **asdict(room),
    )


LARGE_HISTORY = 20_000_000_000
"""The size of the history, in bytes, above which the operator should decide how long to keep it."""

MAX_COUNTED_FORMER = 100_000
"""The number up to which former answers are counted exactly."""

_HISTORY = """
    SELECT pg_total_relation_size('annotation_history') AS bytes,
      (SELECT greatest(reltuples, 0)::bigint FROM pg_class
       WHERE oid = 'annotation_history'::regclass) AS about,
      (SELECT count(*) FROM (SELECT FROM annotation_history LIMIT :limit) part) AS counted,
      (SELECT count(*) FROM (SELECT valid_from, valid_to FROM annotation_history
         WHERE valid_to < now() - make_interval(days => CAST(:days AS int)) LIMIT :limit) h
       WHERE NOT EXISTS (SELECT FROM snapshots s
         WHERE s.at >= h.valid_from AND s.at < h.valid_to)) AS ended
"""


@check(
    "runs.history",
    "the history of the answers has a limit, or is small",
    symptom="PostgreSQL's disk fills up, although the number of genes stays the same.",
    why="By default, all replaced answers are kept. Set HISTORY_DAYS to remove old ones.",
    remedy=EDIT_SETTINGS,
    needs=("database.migrated",),
)
async def history(context: Context) -> Finding:
    """Check the size of the history and the part that HISTORY_DAYS would remove."""
    from sqlalchemy import text

    from app.annotation.settings import Settings

    assert isinstance(context.settings, Settings)
    days = context.settings.history_days
    (found,) = await context.rows(text(_HISTORY), days=days, limit=MAX_COUNTED_FORMER)
    many = found.counted == MAX_COUNTED_FORMER
    number = max(found.about, found.counted) if many else found.counted
    has = f"{number:,} former answers, {size(found.bytes)}"
    if days is not None:
        least = "at least " if found.ended == MAX_COUNTED_FORMER else ""
        ended = f"{least}{found.ended:,}"
        return ok(f"{has}; {ended} are to be removed, after {days} days (HISTORY_DAYS)")
    if found.bytes < LARGE_HISTORY:
        return ok(f"{has}; all are kept, because HISTORY_DAYS is not set")
    return warning(
        f"the history has {size(found.bytes)}, and all of it is kept",
        required=f"HISTORY_DAYS, or less than {size(LARGE_HISTORY)}",
        found=has,
    )


CHECKS: tuple[Check, ...] = (history, sizes, disk)
