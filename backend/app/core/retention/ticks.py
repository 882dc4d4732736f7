from sqlalchemy import delete, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.tables import schedule_ticks

BATCH = 2_000
"""The maximum number of ticks that one transaction removes."""

# Ticks that have not ended stay. So do the last tick of each schedule and the last one that was not
# skipped, because the doctor and the lists show them.
_OLD = (
    text(
        """
        SELECT old.schedule_id, old.tick
        FROM schedules s CROSS JOIN LATERAL (
          SELECT max(tick) AS of_any, max(tick) FILTER (
            WHERE outcome IN ('ran', 'done', 'failed', 'refused')) AS of_ended
          FROM schedule_ticks WHERE schedule_id = s.id
        ) last JOIN schedule_ticks old ON old.schedule_id = s.id
        WHERE old.tick < now() - make_interval(days => :days)
          AND old.tick <> last.of_any AND old.tick IS DISTINCT FROM last.of_ended
          AND old.outcome NOT IN ('queued', 'waiting', 'running')
        """
    )
    .columns(schedule_ticks.c.schedule_id, schedule_ticks.c.tick)
    .subquery("old")
)

_SOME = select(_OLD.c.schedule_id, _OLD.c.tick).limit(BATCH).subquery("some")

_REMOVE = delete(schedule_ticks).where(
    schedule_ticks.c.schedule_id == _SOME.c.schedule_id, schedule_ticks.c.tick == _SOME.c.tick
)


async def remove(connection: AsyncConnection, days: int) -> bool:
    """Remove a batch of ticks older than some days, and return whether there may be more.

    The last tick of each schedule stays, and so does the last one that was not skipped.
    """
    removed = await connection.execute(_REMOVE, {"days": days})
    return removed.rowcount == BATCH


async def count(connection: AsyncConnection, days: int, *, limit: int) -> int:
    """Return the number of ticks that would be removed, counted up to ``limit``."""
    counted = select(func.count()).select_from(select(_OLD.c.tick).limit(limit).subquery())
    found: int = (await connection.execute(counted, {"days": days})).scalar_one()
    return found
