import click

from app.cli.output import (
    as_json,
    cells,
    local_time,
    note,
    say,
    stdout,
    table,
    write_json,
    write_json_list,
)
from app.cli.session import Session, in_session
from app.core.notify import views
from app.core.notify.views import Delivery, Notification
from app.db.bounds import MAX_ID

DEFAULT_LIMIT = 20


@click.command()
@click.argument("notification_id", required=False, type=click.IntRange(1, MAX_ID), metavar="[ID]")
@click.option(
    "--limit",
    type=click.IntRange(1, 10_000),
    default=DEFAULT_LIMIT,
    show_default=True,
    help="The maximum number of notifications.",
)
@as_json
def notifications(notification_id: int | None, *, limit: int, as_json: bool) -> None:
    """List the notifications and their deliveries, or show the notification ID."""

    async def do(session: Session) -> list[Notification]:
        async with session.db.connect() as connection:
            if notification_id is not None:
                return [await views.get_notification(connection, notification_id)]
            return (await views.list_notifications(connection, limit=limit)).notifications

    found = in_session(do)
    if notification_id is not None:
        write_json(found[0]) if as_json else _show(found[0])
    elif as_json:
        write_json_list(found)
    else:
        _list(found)


def _list(found: list[Notification]) -> None:
    if not found:
        note("There are no notifications.")
        return
    listed = table("id", "when", "severity", "what", "delivery")
    for row in found:
        deliveries = "; ".join(map(_delivery, row.deliveries)) or _undelivered(row)
        listed.add_row(*cells(row.id, local_time(row.at), row.severity, row.title, deliveries))
    stdout().print(listed)
    if any(not row.planned for row in found):
        note(
            "The delivery of some notifications is not decided yet. If this lasts, no running API"
            " or worker has a channel: see docs/how-to/be-notified.md"
        )


def _show(notification: Notification) -> None:
    say(f"{notification.id}: {notification.title}")
    say(f"{notification.kind}, {notification.severity}, {local_time(notification.at)}")
    say(notification.text)
    incident = notification.incident
    if incident is not None:
        until = (
            "ongoing" if incident.closed_at is None else f"ended {local_time(incident.closed_at)}"
        )
        say(
            f"incident {incident.id}: since {local_time(incident.opened_at)}, {until};"
            f" it has occurred {incident.times} times"
        )
    say("; ".join(map(_delivery, notification.deliveries)) or _undelivered(notification))


def _delivery(delivery: Delivery) -> str:
    text = f"{delivery.channel}: {delivery.state}"
    if delivery.digest is not None:
        text += f" {delivery.digest}"
    if delivery.delivered_at is not None:
        text += f" {local_time(delivery.delivered_at)}"
    elif delivery.due_at is not None:
        text += f" until {local_time(delivery.due_at)}"
    return f"{text} ({delivery.error})" if delivery.error else text


def _undelivered(notification: Notification) -> str:
    return "not sent" if notification.planned else "not decided yet"
