from sqlalchemy import delete, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.tables import notifications

BATCH = 1_000
"""The maximum number of notifications, and of incidents, that one transaction removes."""

# a digest stays as long as any notification that it contains
_OLD = (
    text(
        """
        SELECT n.id FROM notifications n LEFT JOIN incidents i ON i.id = n.incident_id
        WHERE n.created_at < now() - make_interval(days => :days) AND n.planned_at IS NOT NULL
          AND (i.id IS NULL OR i.closed_at IS NOT NULL)
          AND NOT EXISTS (SELECT FROM notification_deliveries d
            WHERE d.notification_id = n.id AND d.state IN ('pending', 'waiting'))
          AND NOT EXISTS (SELECT FROM notification_deliveries d
            JOIN notifications contained ON contained.id = d.notification_id
            WHERE d.digest_id = n.id
              AND contained.created_at >= now() - make_interval(days => :days))
        """
    )
    .columns(notifications.c.id)
    .subquery("old")
)

_REMOVE = delete(notifications).where(
    notifications.c.id.in_(select(_OLD.c.id).order_by(_OLD.c.id).limit(BATCH))
)

_REMOVE_INCIDENTS = text(
    """
    DELETE FROM incidents WHERE id IN (
      SELECT i.id FROM incidents i
      WHERE i.closed_at < now() - make_interval(days => :days)
        AND NOT EXISTS (SELECT FROM notifications n WHERE n.incident_id = i.id)
      ORDER BY i.id LIMIT :batch)
    """
)


async def remove(connection: AsyncConnection, days: int) -> bool:
    """Remove a batch of old notifications and incidents, and return whether there may be more.

    Notifications with pending deliveries stay, and so do open incidents with their notifications.
    """
    removed = await connection.execute(_REMOVE, {"days": days})
    closed = await connection.execute(_REMOVE_INCIDENTS, {"days": days, "batch": BATCH})
    return BATCH in {removed.rowcount, closed.rowcount}


async def count(connection: AsyncConnection, days: int, *, limit: int) -> int:
    """Return the number of notifications that would be removed, counted up to ``limit``."""
    counted = select(func.count()).select_from(select(_OLD.c.id).limit(limit).subquery())
    found: int = (await connection.execute(counted, {"days": days})).scalar_one()
    return found
