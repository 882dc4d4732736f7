"""Read-only views of notifications, for the API and the command line."""

from datetime import datetime
from typing import Annotated, Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.errors import LIST_NOTIFICATIONS, NotFound
from app.core.notify.message import Kind, Severity
from app.core.text.field_docs import View, one_of
from app.db.bounds import MAX_ID

STATES = ("pending", "delivered", "refused", "given up", "waiting", "in digest")


class Delivery(View):
    """The delivery of a notification by a channel."""

    channel: str
    state: Annotated[str, one_of(STATES)]
    """`pending`: tried until it is delivered. `refused`: the receiver refuses it permanently.
    `given up`: not delivered within a week. `waiting`: for the next digest. `in digest`: contained
    in the notification `digest`."""
    attempts: int
    due_at: datetime | None
    """When the delivery is tried next, or the digest is sent; null if it is not tried again."""
    delivered_at: datetime | None
    error: str | None
    """Why the last attempt failed."""
    digest: int | None
    """The id of the digest that contains the notification."""


class Incident(View):
    """A lasting problem. A notification is sent when it begins, and another one when it ends."""

    id: int
    opened_at: datetime
    closed_at: datetime | None
    """Null while it lasts."""
    times: int
    """The number of times that the problem occurred. Only the first one was notified."""


class Notification(View):
    """A notification."""

    id: int
    message_id: str
    """The id of the message, which is the same in each attempt to deliver it."""
    kind: Annotated[str, one_of(Kind)]
    severity: Annotated[str, one_of(Severity)]
    at: datetime
    """When the event happened."""
    title: str
    text: str
    detail: dict[str, Any]
    """The same as data for programs. The keys depend on the kind."""
    planned: bool
    """Whether its deliveries have been created. Without a channel, there are none."""
    incident: Incident | None
    """The incident to which the notification belongs."""
    deliveries: list[Delivery]
    """One for each channel; empty if it is not sent."""


class NotificationPage(View):
    """A page of notifications, the newest first."""

    notifications: list[Notification]
    next_before: int | None
    """The parameter `before` for the next page; null if this is the last page."""


_PAGE = text(
    """
    SELECT n.id, n.message_id, n.kind, n.severity, n.at, n.title, n.text, n.detail,
      n.planned_at IS NOT NULL AS planned, i.id AS incident_id, i.opened_at, i.closed_at, i.times,
      (SELECT coalesce(jsonb_agg(jsonb_build_object('channel', d.channel, 'state', d.state,
          'attempts', d.attempts, 'delivered_at', d.delivered_at, 'error', d.error,
          'digest', d.digest_id,
          'due_at', CASE WHEN d.state IN ('pending', 'waiting') THEN d.due_at END)
        ORDER BY d.channel), '[]')
       FROM notification_deliveries d WHERE d.notification_id = n.id) AS deliveries
    FROM notifications n LEFT JOIN incidents i ON i.id = n.incident_id
    WHERE n.id < :before ORDER BY n.id DESC LIMIT :limit
    """
)


async def get_notification(connection: AsyncConnection, notification_id: int) -> Notification:
    """Return one notification.

    Raises:
        NotFound: there is no such notification.
    """
    found = []
    if 0 < notification_id < MAX_ID:
        page = await list_notifications(connection, limit=1, before=notification_id + 1)
        found = page.notifications
    if not found or found[0].id != notification_id:
        raise NotFound(
            f"there is no notification {notification_id}",
            remedy="use the id of one that is listed",
            steps=(LIST_NOTIFICATIONS,),
        )
    return found[0]


async def list_notifications(
    connection: AsyncConnection, *, limit: int, before: int | None = None
) -> NotificationPage:
    """Return a page of notifications with their deliveries, the newest first.

    Args:
        connection: to read from.
        limit: the maximum number of notifications on the page.
        before: only notifications with a smaller id.
    """
    values = {"limit": limit, "before": MAX_ID if before is None else before}
    found = []
    for row in (await connection.execute(_PAGE, values)).mappings():
        incident = None if row["incident_id"] is None else {**row, "id": row["incident_id"]}
        message_id = f"msg_{row['message_id'].hex}"
        found.append(Notification(**{**row, "message_id": message_id, "incident": incident}))
    return NotificationPage(
        notifications=found, next_before=found[-1].id if len(found) == limit else None
    )
