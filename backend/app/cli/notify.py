import asyncio
import json
import os
import socket
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from app.cli import logs
from app.cli.output import as_json, cells, duration, note, stdout, table
from app.core.text.printable import printable_json

if TYPE_CHECKING:
    from app.core.notify.channels.settings import ChannelFields
    from app.core.notify.message import Message

RETRIES = (30.0, 120.0, 600.0)
"""Seconds before each further attempt to report that a unit failed."""


@click.command("notify-test")
@as_json
def notify_test(*, as_json: bool) -> None:
    """Send a test message through every channel, and show the outcomes.

    The command needs neither PostgreSQL nor Redis. The exit status is 1 if a channel did not
    deliver the message.
    """
    from app.cli.session import load_command_settings
    from app.core.notify.at_once import require_channels, test_message
    from app.core.notify.channels.settings import ChannelSettings

    settings = load_command_settings(ChannelSettings)
    require_channels(settings)
    _send(settings, test_message(socket.gethostname()), as_json=as_json)


@click.command("notify-failure")
@click.argument("unit")
@as_json
def notify_failure(unit: str, *, as_json: bool) -> None:
    """Report through every channel that the systemd unit UNIT failed.

    The units in deploy/systemd run this command. It needs neither PostgreSQL nor Redis, and reads
    only the settings of the channels. It retries for about a quarter of an hour.
    """
    from app.core.notify.channels.settings import load_channel_settings
    from app.core.notify.unit_failure import unit_failed
    from app.doctor.recipes import recipe

    settings = load_channel_settings()
    if not settings.channel_names:
        # an installation without notifications is not a failure
        note(f"the failure of {unit} is not reported: no channel for notifications is configured")
        return
    message = unit_failed(unit, socket.gethostname(), os.environ, recipe)
    _send(settings, message, as_json=as_json, pauses=RETRIES)


def _send(
    settings: "ChannelFields", message: "Message", *, as_json: bool, pauses: Sequence[float] = ()
) -> None:
    from app.core.notify.at_once import send_at_once
    from app.core.notify.channels import channels

    logs.configure("WARNING")
    outcomes = asyncio.run(send_at_once(channels(settings), message, pauses=pauses))
    if as_json:
        found = [asdict(outcome) for outcome in outcomes]
        click.echo(printable_json(json.dumps(found, indent=2, ensure_ascii=False)))
    else:
        shown = table("channel", "outcome")
        for outcome in outcomes:
            took = f"delivered in {duration(outcome.seconds)}"
            shown.add_row(*cells(outcome.channel, took if outcome.delivered else outcome.reason))
        stdout().print(shown)
    if not all(outcome.delivered for outcome in outcomes):
        click.get_current_context().exit(1)
