from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

BATCH = 2_000
"""Ticks that are removed in one transaction."""

# a tick that waits, or whose work is being done, has no outcome yet
_REMOVE = text(
    """
    DELETE FROM schedule_ticks t USING (
      SELECT old.schedule_id, old.tick FROM schedules s CROSS JOIN LATERAL (
        SELECT schedule_id, tick FROM schedule_ticks
        WHERE schedule_id = s.id AND tick < now() - make_interval(days => :days)
          AND tick < (SELECT max(tick) FROM schedule_ticks WHERE schedule_id = s.id)
          AND outcome NOT IN ('queued', 'waiting', 'running')
        ORDER BY tick LIMIT :batch) old
      LIMIT :batch) old
    WHERE (t.schedule_id, t.tick) = (old.schedule_id, old.tick)
    """
)

_COUNT = text(
    """
    SELECT count(*) FROM (
      SELECT FROM schedules s CROSS JOIN LATERAL (
        SELECT FROM schedule_ticks
        WHERE schedule_id = s.id AND tick < now() - make_interval(days => :days)
          AND tick < (SELECT max(tick) FROM schedule_ticks WHERE schedule_id = s.id)
          AND outcome NOT IN ('queued', 'waiting', 'running')
        LIMIT :most) old
      LIMIT :most) counted
    """
)


async def remove(connection: AsyncConnection, days: int) -> bool:
    """Remove some ticks that were due so many days ago, and return whether there may be more.

    The last tick of each schedule stays.
    """
    removed = await connection.execute(_REMOVE, {"days": days, "batch": BATCH})
    return removed.rowcount == BATCH


async def count(connection: AsyncConnection, days: int, *, most: int) -> int:
    """Return how many ticks would be removed, but count no more than ``most``."""
    found: int = (await connection.execute(_COUNT, {"days": days, "most": most})).scalar_one()
    return found
