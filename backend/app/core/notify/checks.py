"""The checks of notifications: they are delivered."""

from app.core.checks import Check, Context, Finding, check, ok, warning
from app.core.errors import EDIT_SETTINGS, START_API, START_WORKER
from app.core.text.words import some, time_span

UNDELIVERED_AFTER = 1_800
"""Seconds within which a notification should be delivered."""

_UNDELIVERED = """
    SELECT d.channel, count(*) AS number,
      extract(epoch FROM clock_timestamp() - min(n.planned_at))::float8 AS age,
      (array_agg(d.error ORDER BY d.due_at DESC) FILTER (WHERE d.error IS NOT NULL))[1] AS error
    FROM notification_deliveries d JOIN notifications n ON n.id = d.notification_id
    -- what waits for the end of the quiet hours was not tried yet
    WHERE d.state = 'pending'
      AND n.planned_at < clock_timestamp() - make_interval(secs => :late)
      AND (d.attempts > 0 OR d.due_at < clock_timestamp() - make_interval(secs => :late))
    GROUP BY d.channel ORDER BY d.channel
"""


@check(
    "notifications.undelivered",
    "notifications are delivered",
    symptom="Notifications arrive hours later, or not at all.",
    why="The receiver does not answer, or no running process has the channel. A delivery is"
    " retried for a week, at most once an hour. Correct the address of the channel, or restart the"
    " API and the workers.",
    remedy=EDIT_SETTINGS,
    needs=("database.migrated",),
)
async def undelivered(context: Context) -> Finding:
    """Find channels with deliveries that have been pending for too long."""
    from sqlalchemy import text

    found = await context.rows(text(_UNDELIVERED), late=UNDELIVERED_AFTER)
    if not found:
        return ok("nothing waits for long")
    worst = max(found, key=lambda row: row.age)
    return warning(
        f"{worst.channel} has not delivered a notification for {time_span(worst.age)}",
        required=f"a delivery within {time_span(UNDELIVERED_AFTER)}",
        found=some(
            [
                f"{row.channel}: {row.number:,} undelivered, {row.error or 'no attempt has ended'}"
                for row in found
            ]
        ),
    )


_REFUSED = """
    SELECT d.channel, count(*) AS number, (array_agg(d.error ORDER BY n.id DESC))[1] AS error
    FROM notification_deliveries d JOIN notifications n ON n.id = d.notification_id
    WHERE d.state IN ('refused', 'given up') AND n.created_at > now() - interval '14 days'
      AND NOT EXISTS (SELECT FROM notification_deliveries later
        WHERE later.channel = d.channel AND later.state = 'delivered'
          AND later.notification_id > d.notification_id)
    GROUP BY d.channel ORDER BY d.channel
"""


@check(
    "notifications.refused",
    "no channel is refused permanently",
    symptom="The list of notifications shows deliveries that are refused or given up.",
    why="The receiver rejects the messages of this channel: its address or its secret is wrong, or"
    " it no longer exists. A refused message is not sent again.",
    remedy=EDIT_SETTINGS,
    needs=("database.migrated",),
)
async def refused(context: Context) -> Finding:
    """Find channels whose latest deliveries were refused or given up."""
    from sqlalchemy import text

    found = await context.rows(text(_REFUSED))
    if not found:
        return ok("no channel is refused")
    return warning(
        f"{some([row.channel for row in found])}: messages are refused",
        required="a receiver that accepts the messages",
        found=some([f"{row.channel}: {row.number:,} times, {row.error}" for row in found]),
    )


UNPLANNED_AFTER = 300
"""Seconds. A process with a channel polls every two seconds."""

_UNPLANNED = """
    SELECT (SELECT count(*) FROM notifications WHERE planned_at IS NULL
        AND created_at < clock_timestamp() - make_interval(secs => :seconds))
      + (SELECT count(*) FROM run_events
        WHERE NOT noticed AND event IN ('failed', 'held', 'release arrived')
        AND at < clock_timestamp() - make_interval(secs => :seconds)) AS number
"""


@check(
    "notifications.sender",
    "a running process has the channels",
    symptom="The list of notifications shows `not decided yet`, or a run has failed without a"
    " notification.",
    why="The API and the workers read the channels when they start. Until one of the running"
    " processes has a channel, nobody is notified. Restart them.",
    needs=("database.migrated",),
)
async def sender(context: Context) -> Finding:
    """Find events and notifications that no process has handled, if a channel is configured."""
    from sqlalchemy import text

    from app.core.notify.channels.settings import ChannelSettings

    assert isinstance(context.settings, ChannelSettings)
    names = context.settings.channel_names
    if not names:
        return ok("no channel is configured, so no notification is sent")
    (found,) = await context.rows(text(_UNPLANNED), seconds=UNPLANNED_AFTER)
    if not found.number:
        return ok(f"{', '.join(names)}: all events are processed")
    return warning(
        f"{found.number:,} events are not yet processed for notifications",
        required=f"a running API or worker that was started with {', '.join(names)}",
        found="none that was started since the channels were configured",
        remedy=START_WORKER if context.settings.use_arq_worker else START_API,
    )


CHECKS: tuple[Check, ...] = (sender, undelivered, refused)
