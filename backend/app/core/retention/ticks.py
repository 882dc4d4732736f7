from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

BATCH = 2_000
"""Ticks that are removed in one transaction."""

# What is queued or being done has not ended. The doctor and the lists show the last tick of each
# schedule, and the last one that was not skipped.
_OLD = """
  FROM schedules s CROSS JOIN LATERAL (
    SELECT max(tick) AS of_any, max(tick) FILTER (
      WHERE outcome IN ('ran', 'done', 'failed', 'refused')) AS of_ended
    FROM schedule_ticks WHERE schedule_id = s.id
  ) last JOIN schedule_ticks old ON old.schedule_id = s.id
  WHERE old.tick < now() - make_interval(days => :days)
    AND old.tick <> last.of_any AND old.tick IS DISTINCT FROM last.of_ended
    AND old.outcome NOT IN ('queued', 'waiting', 'running')
"""

_REMOVE = text(
    f"""
    DELETE FROM schedule_ticks t USING (
      SELECT old.schedule_id, old.tick {_OLD} LIMIT :batch) old
    WHERE (t.schedule_id, t.tick) = (old.schedule_id, old.tick)
    """
)

_COUNT = text(f"SELECT count(*) FROM (SELECT {_OLD} LIMIT :most) counted")


async def remove(connection: AsyncConnection, days: int) -> bool:
    """Remove some ticks that were due so many days ago, and return whether there may be more.

    The last tick of each schedule stays, and the last one that was not skipped.
    """
    removed = await connection.execute(_REMOVE, {"days": days, "batch": BATCH})
    return removed.rowcount == BATCH


async def count(connection: AsyncConnection, days: int, *, most: int) -> int:
    """Return how many ticks would be removed, but count no more than ``most``."""
    found: int = (await connection.execute(_COUNT, {"days": days, "most": most})).scalar_one()
    return found
