from collections.abc import Awaitable, Callable, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.retention import notifications, ticks, workers
from app.core.retention.runs import Named, OldRuns
from app.core.retention.settings import RetentionSettings
from app.core.workers.chores import Chore

INTERVAL = 3_600.0
"""Seconds between the end of one pass through old rows and the next."""


def retention(settings: RetentionSettings, named: Named) -> Sequence[Chore]:
    """Return the chores that remove old rows.

    Ticks and runs go before the workers that they name.

    Args:
        settings: say how old.
        named: says which runs have to stay, see :class:`~.runs.OldRuns`.
    """
    return (
        _chore("ticks", ticks.remove, settings.tick_days),
        _chore("notifications", notifications.remove, settings.notification_days),
        Chore("the retention of runs", INTERVAL, OldRuns(settings.run_days, named).remove),
        _chore("workers", workers.remove, settings.worker_days),
    )


def _chore(
    what: str, remove: Callable[[AsyncConnection, int], Awaitable[bool]], days: int
) -> Chore:
    async def do_part(connection: AsyncConnection) -> bool:
        return await remove(connection, days)

    return Chore(f"the retention of {what}", INTERVAL, do_part)
