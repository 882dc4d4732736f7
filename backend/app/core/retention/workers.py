from sqlalchemy import delete, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.tables import workers

BATCH = 500
"""The maximum number of workers that one transaction removes."""

# A worker that holds its lock may be frozen, and later continue under its id. The references are
# looked up as the minimum from the id on, which an index answers whatever the table statistics.
_OLD = (
    text(
        """
        SELECT w.id FROM workers w JOIN worker_liveness life ON life.id = w.id
        WHERE w.heartbeat_at < now() - make_interval(days => :days) AND NOT life.holds_lock
          AND w.id IS DISTINCT FROM
            (SELECT min(r.worker_id) FROM runs r WHERE r.worker_id >= w.id)
          AND w.id::text IS DISTINCT FROM (SELECT min(e.detail ->> 'worker') FROM run_events e
            WHERE e.detail ->> 'worker' >= w.id::text)
          AND NOT EXISTS (SELECT FROM schedule_ticks t WHERE t.worker_id = w.id)
        """
    )
    .columns(workers.c.id)
    .subquery("old")
)

_REMOVE = delete(workers).where(
    workers.c.id.in_(select(_OLD.c.id).order_by(_OLD.c.id).limit(BATCH))
)


async def remove(connection: AsyncConnection, days: int) -> bool:
    """Remove a batch of workers that died long ago, and return whether there may be more.

    A worker stays while a run, an event or a tick refers to it.
    """
    removed = await connection.execute(_REMOVE, {"days": days})
    return removed.rowcount == BATCH


async def count(connection: AsyncConnection, days: int, *, limit: int) -> int:
    """Return the number of workers that would be removed, counted up to ``limit``."""
    counted = select(func.count()).select_from(select(_OLD.c.id).limit(limit).subquery())
    found: int = (await connection.execute(counted, {"days": days})).scalar_one()
    return found
