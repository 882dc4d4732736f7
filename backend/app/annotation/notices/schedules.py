"""Finds schedules whose last tick failed."""

from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.notify.incidents import Observed, Watch
from app.core.notify.message import Kind
from app.core.notify.notice import Notice
from app.core.schedules.views import LastEnd, last_ends


def schedule_watch() -> Watch:
    """Return the watch for schedules whose last tick failed or was refused."""
    return Watch(Kind.TASK_FAILED, _observe)


async def _observe(connection: AsyncConnection) -> Observed:
    return Observed([_notice(end) for end in await last_ends(connection) if end.failing])


def _notice(end: LastEnd) -> Notice:
    assert end.tick is not None
    kept = " No earlier backup was removed." if end.action == "backup" else ""
    return Notice(
        kind=Kind.TASK_FAILED,
        at=end.tick,
        title=f"The {end.action} of the schedule {end.name} failed",
        text=f"{end.reason}\nThe next tick tries again.{kept}\n"
        f"To see its ticks: just schedules {end.name}\n"
        f"To execute a tick after the cause is fixed: just schedule-run {end.name}",
        detail={"schedule": end.name, "action": end.action, "reason": end.reason},
        subject=end.name,
    )
