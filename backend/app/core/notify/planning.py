"""Plans the deliveries of notifications, and collects digests."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.errors import LIST_NOTIFICATIONS
from app.core.notify.message import Kind, Severity
from app.core.notify.notice import MAX_TEXT, CommandOf
from app.core.notify.rules import Rules
from app.core.notify.sending import GIVE_UP_AFTER

NOTIFICATION_BATCH = 500
"""Notifications that are planned in one transaction."""

MAX_DIGEST_NOTIFICATIONS = 1_000
"""Notifications that one digest may contain."""

_UNPLANNED = text(
    """
    SELECT id, kind, severity, clock_timestamp() AS now,
      (SELECT kind FROM incidents WHERE id = notifications.incident_id) AS opened_as,
      created_at < clock_timestamp() - CAST(:max_age AS interval) AS is_old
    FROM notifications WHERE planned_at IS NULL
    ORDER BY id LIMIT :batch FOR UPDATE SKIP LOCKED
    """
)

_PLAN = text(
    """
    WITH planned AS (
      UPDATE notifications SET planned_at = clock_timestamp()
      WHERE id = ANY(CAST(:ids AS bigint[]))
    )
    INSERT INTO notification_deliveries (notification_id, channel, state, due_at)
    SELECT given.id, channel, given.state, given.due_at
    FROM jsonb_to_recordset(CAST(:given AS jsonb)) AS given
        (id bigint, state text, due_at timestamptz),
      unnest(CAST(:channels AS text[])) AS channel
    ON CONFLICT DO NOTHING
    """
)

_WAITING = text(
    """
    SELECT d.notification_id, n.title, n.severity, n.at, clock_timestamp() AS now
    FROM notification_deliveries d JOIN notifications n ON n.id = d.notification_id
    WHERE d.state = 'waiting' AND d.channel = :channel
      AND (d.due_at <= clock_timestamp() OR d.due_at > clock_timestamp() + interval '3 days')
    ORDER BY d.notification_id LIMIT :most FOR UPDATE OF d SKIP LOCKED
    """
)

_SEND_ALONE = text(
    """
    UPDATE notification_deliveries SET state = 'pending'
    WHERE notification_id = :id AND channel = :channel
    """
)

_COLLECT = text(
    """
    WITH digest AS (
      INSERT INTO notifications (kind, severity, at, title, text, detail, planned_at)
      VALUES (:kind, :severity, :at, :title, :text, CAST(:detail AS jsonb), clock_timestamp())
      RETURNING id
    ), collected AS (
      UPDATE notification_deliveries SET state = 'in digest', digest_id = digest.id FROM digest
      WHERE channel = :channel AND notification_id = ANY(CAST(:ids AS bigint[]))
    )
    INSERT INTO notification_deliveries (notification_id, channel, state, due_at)
    SELECT id, :channel, 'pending', clock_timestamp() FROM digest
    """
)

# a channel that was renamed or removed from the settings can no longer send
_GIVE_UP = text(
    """
    UPDATE notification_deliveries d SET state = 'given up', error = 'there is no such channel'
    FROM notifications n
    WHERE d.state IN ('pending', 'waiting') AND n.id = d.notification_id
      AND n.created_at < clock_timestamp() - CAST(:give_up AS interval)
      AND d.channel <> ALL(CAST(:channels AS text[]))
    """
)

_URGENCY = [Severity.INFO, Severity.WARNING, Severity.CRITICAL]


async def plan(
    connection: AsyncConnection, rules: Rules, channels: Sequence[str], max_age: str
) -> bool:
    """Plan the deliveries of a batch of notifications.

    Args:
        connection: in a transaction.
        rules: which notifications are sent, and when.
        channels: the names of the channels.
        max_age: older notifications are not sent.

    Returns:
        Whether there may be more notifications to plan.
    """
    values = {"batch": NOTIFICATION_BATCH, "max_age": max_age}
    rows = (await connection.execute(_UNPLANNED, values)).mappings().all()
    deliveries = []
    for row in rows:
        if row["is_old"] or row["opened_as"] in rules.disabled:
            continue  # if the start of an incident was not reported, neither is its end
        planned = rules.plan(row["kind"], row["severity"], row["now"])
        if planned is not None:
            deliveries.append({"id": row["id"], **planned._asdict()})
    if rows:
        await connection.execute(
            _PLAN,
            {
                "ids": [row["id"] for row in rows],
                "given": msgspec.json.encode(deliveries).decode(),
                "channels": list(channels),
            },
        )
    return len(rows) == NOTIFICATION_BATCH


async def collect(connection: AsyncConnection, channel: str, command: CommandOf) -> bool:
    """Collect the deliveries that wait for the digest of a channel into one message.

    The digest is a notification of its own, so that its content and its id stay the same in each
    delivery attempt.

    Args:
        connection: in a transaction.
        channel: the name of the channel, whose digest is due.
        command: returns the command for a step.

    Returns:
        Whether there may be more deliveries to collect.
    """
    values = {"channel": channel, "most": MAX_DIGEST_NOTIFICATIONS}
    rows = (await connection.execute(_WAITING, values)).mappings().all()
    if len(rows) == 1:
        await connection.execute(_SEND_ALONE, {"id": rows[0]["notification_id"], **values})
    elif rows:
        ids = [row["notification_id"] for row in rows]
        await connection.execute(
            _COLLECT,
            {
                "kind": Kind.DIGEST,
                "severity": max((row["severity"] for row in rows), key=_URGENCY.index),
                "at": rows[0]["now"],
                "title": f"{len(rows):,} notifications",
                "text": _lines(rows, command(LIST_NOTIFICATIONS)),
                "detail": msgspec.json.encode({"notifications": ids}).decode(),
                "channel": channel,
                "ids": ids,
            },
        )
    return len(rows) == MAX_DIGEST_NOTIFICATIONS


async def give_up(connection: AsyncConnection, channels: Sequence[str]) -> None:
    """Give up deliveries that have been pending for a week on channels no longer configured."""
    await connection.execute(_GIVE_UP, {"channels": list(channels), "give_up": GIVE_UP_AFTER})


def _lines(rows: Sequence[RowMapping], listing: str) -> str:
    """Return one line per notification, as many as fit into a message."""
    lines: list[str] = []
    rest = f"\nAll of them: {listing}"
    for number, row in enumerate(rows):
        line = f"{row['at']:%Y-%m-%d %H:%M} UTC  {row['title']}"
        left = len(rows) - number
        if sum(map(len, lines)) + len(lines) + len(line) + len(rest) > MAX_TEXT - 40:
            lines.append(f"and {left:,} more")
            break
        lines.append(line)
    return "\n".join(lines) + rest
