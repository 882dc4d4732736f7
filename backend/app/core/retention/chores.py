from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.retention import notifications, ticks, workers
from app.core.retention.runs import Named, OldRuns
from app.core.retention.settings import RetentionSettings
from app.core.workers.chores import Chore

REMOVAL_INTERVAL = 3_600.0
"""Seconds between two passes over the old rows."""


def retention(settings: RetentionSettings, named: Named) -> Sequence[Chore]:
    """Return the chores that remove old rows.

    Ticks and runs are removed before the workers to which they refer.

    Args:
        settings: the ages at which rows are removed.
        named: returns the runs that must stay, see :class:`~.runs.OldRuns`.
    """

    def chore(what: str, remove: Callable[[AsyncConnection], Awaitable[bool]]) -> Chore:
        return Chore(f"the retention of {what}", REMOVAL_INTERVAL, remove)

    return (
        chore("ticks", partial(ticks.remove, days=settings.tick_days)),
        chore("notifications", partial(notifications.remove, days=settings.notification_days)),
        chore("runs", OldRuns(settings.run_days, named).remove),
        chore("workers", partial(workers.remove, days=settings.worker_days)),
    )
