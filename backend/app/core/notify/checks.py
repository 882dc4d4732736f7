"""The checks of notifications: they arrive."""

from app.core.checks import Check, Context, Finding, check, ok, warning
from app.core.errors import EDIT_SETTINGS
from app.core.words import some, span

LATE = 1_800
"""Seconds from which on a notification should have been delivered."""

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
    symptom="People hear of a problem hours later, or not at all.",
    why="The receiver does not answer, or no process that is running has the channel. A"
    " notification is tried again for a week, at most once an hour.",
    remedy=EDIT_SETTINGS,
    needs=("database.migrated",),
)
async def undelivered(context: Context) -> Finding:
    """Find channels that have not delivered something for long."""
    from sqlalchemy import text

    found = await context.rows(text(_UNDELIVERED), late=LATE)
    if not found:
        return ok("nothing waits for long")
    worst = max(found, key=lambda each: each.age)
    return warning(
        f"{worst.channel} has not delivered a notification for {span(worst.age)}",
        required=f"a delivery within {span(LATE)}",
        found=some(
            [
                f"{each.channel}: {each.number:,} undelivered,"
                f" {each.error or 'no attempt has ended'}"
                for each in found
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
    "no channel is refused for good",
    symptom="`just notifications` shows deliveries that are refused, or given up.",
    why="The receiver does not take messages of this channel: its address, its password or its"
    " secret is wrong, or it does not exist any more. What was refused is not sent again.",
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
        f"{some([each.channel for each in found])}: messages are refused",
        required="a channel whose receiver takes messages",
        found=some([f"{each.channel}: {each.number:,} times, {each.error}" for each in found]),
    )


CHECKS: tuple[Check, ...] = (undelivered, refused)
