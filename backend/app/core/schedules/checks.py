"""The checks of the schedules: their ticks succeed, and their folders exist on this host."""

import asyncio
from pathlib import Path

from app.core.checks import Check, Context, Finding, check, failed, ok, warning
from app.core.errors import run_schedule, show_schedule
from app.core.text.words import some

_RETRIED = """
    SELECT s.name, s.action, t.failures, t.reason
    FROM schedules s JOIN schedule_ticks t ON t.schedule_id = s.id
    WHERE t.outcome IN ('waiting', 'running') AND t.failures > 0 ORDER BY s.name
"""


@check(
    "schedules.failed",
    "the last tick of each schedule has succeeded",
    symptom="There is no new backup, snapshot or export, or a schedule creates no runs.",
    why="The last tick failed. A tick is tried 4 times within half an hour. A failed backup"
    " removes no earlier backup.",
    needs=("database.migrated",),
)
async def last_tick_failed(context: Context) -> Finding:
    """Find schedules whose last tick, apart from skipped ones, failed or is being retried."""
    from sqlalchemy import text

    from app.core.schedules.views import last_ends

    async with context.database().connect() as connection:
        found = [schedule for schedule in await last_ends(connection) if schedule.failing]
    if found:
        return failed(
            f"the last tick of {some([schedule.name for schedule in found])} failed",
            required="a tick that succeeds",
            found=some(
                [f"{schedule.name}, {schedule.action}: {schedule.reason}" for schedule in found], 3
            ),
            remedy=tuple(
                line
                for schedule in found[:5]
                for line in (
                    show_schedule(schedule.name),
                    run_schedule(schedule.name),
                )
            ),
        )
    retried = await context.rows(text(_RETRIED))
    if retried:
        return warning(
            f"{some([schedule.name for schedule in retried])} failed and will be retried",
            required="a tick that succeeds",
            found=some(
                [f"{schedule.name}, {schedule.action}: {schedule.reason}" for schedule in retried],
                3,
            ),
            remedy=tuple(show_schedule(schedule.name) for schedule in retried[:5]),
        )
    return ok("no tick failed")


_FOLDERS = """
    SELECT name, options ->> 'folder' AS folder FROM schedules
    WHERE options ? 'folder' AND paused_at IS NULL ORDER BY name
"""


@check(
    "schedules.folder",
    "the folders of the schedules exist on this host",
    symptom="A backup or an export fails on some hosts.",
    why="Any worker may execute a tick, so every host with workers needs the folder.",
    needs=("database.migrated",),
)
async def folder(context: Context) -> Finding:
    """Check that each folder exists on this host."""
    from sqlalchemy import text

    found = await context.rows(text(_FOLDERS))
    # in a thread, because an unresponsive file system would block all other checks
    missing = await asyncio.to_thread(_missing, {place.folder for place in found})
    if not missing:
        return ok(f"{len(found)} schedules write files" if found else "no schedule writes files")
    return warning(
        f"{some(missing)}: no such folder on this host",
        required="a folder that exists on each host with workers",
        found="none here; if no worker runs on this host, nothing is wrong",
        remedy=tuple(f"mkdir -p {folder}" for folder in missing),
    )


def _missing(folders: set[str]) -> list[str]:
    return sorted(folder for folder in folders if not Path(folder).is_dir())


CHECKS: tuple[Check, ...] = (last_tick_failed, folder)
