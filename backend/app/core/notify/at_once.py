"""Sends one message through all channels and reports the outcomes, without PostgreSQL."""

import asyncio
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

from app.core.errors import EDIT_SETTINGS, Conflict
from app.core.notify.channels import channels
from app.core.notify.channels.settings import ChannelFields
from app.core.notify.message import Channel, Kind, Message, NotDelivered, Severity


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of a message in one channel.

    Attributes:
        channel: the name of the channel.
        delivered: whether the receiver has accepted the message.
        seconds: the duration of the last attempt, in seconds.
        reason: why the message was not delivered.
    """

    channel: str
    delivered: bool
    seconds: float
    reason: str = ""


def test_message(host: str) -> Message:
    """Return a message that tests the channels.

    Args:
        host: the name of the sending machine.
    """
    return Message(
        id=f"test-{uuid4().hex}",
        kind=Kind.TEST,
        severity=Severity.INFO,
        at=datetime.now(UTC),
        title=f"Test message from {host}",
        text=f"Kidney genetics on {host} can reach you through this channel. Nothing has happened.",
        detail={"host": host},
    )


def require_channels(settings: ChannelFields) -> None:
    """Check that a channel is configured.

    Raises:
        Conflict: no channel is configured.
    """
    if not settings.channel_names:
        raise Conflict(
            "no channel for notifications is configured",
            allowed="at least one of NOTIFY_WEBHOOK_URLS, SMTP_URL and NOTIFY_APPRISE_URLS",
            steps=(EDIT_SETTINGS,),
        )


async def send_test(settings: ChannelFields) -> list[Outcome]:
    """Send a test message through every channel, regardless of quiet hours.

    Raises:
        Conflict: no channel is configured.
    """
    require_channels(settings)
    return await send_at_once(channels(settings), test_message(socket.gethostname()))


async def send_at_once(
    channels: Sequence[Channel], message: Message, *, pauses: Sequence[float] = ()
) -> list[Outcome]:
    """Send a message through all channels concurrently, and close the channels.

    Args:
        channels: the channels.
        message: the message.
        pauses: seconds before each further attempt in a channel that failed, unless its failure is
            permanent.
    """
    try:
        return await asyncio.gather(*(_send(channel, message, pauses) for channel in channels))
    finally:
        await asyncio.gather(*(channel.close() for channel in channels))


async def _send(channel: Channel, message: Message, pauses: Sequence[float]) -> Outcome:
    for pause in (0.0, *pauses):
        await asyncio.sleep(pause)
        started = time.monotonic()
        try:
            await channel.send(message)
        except NotDelivered as error:
            outcome = Outcome(
                channel.name,
                delivered=False,
                seconds=time.monotonic() - started,
                reason=error.reason,
            )
            if error.permanent:
                break
        else:
            return Outcome(channel.name, delivered=True, seconds=time.monotonic() - started)
    return outcome
