"""Sends one message through all channels and says what became of it, without PostgreSQL."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

from app.core.notify.message import Channel, Kind, Message, NotDelivered, Severity


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a message in one channel.

    Attributes:
        channel: its name.
        delivered: whether the receiver has taken the message.
        seconds: how long the last attempt took.
        reason: why it was not delivered.
    """

    channel: str
    delivered: bool
    seconds: float
    reason: str = ""


def test_message(host: str) -> Message:
    """Return a message that tests the channels.

    Args:
        host: the name of the machine that sends it.
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


async def send_at_once(
    channels: Sequence[Channel], message: Message, *, pauses: Sequence[float] = ()
) -> list[Outcome]:
    """Send a message through all channels at the same time, and close these.

    Args:
        channels: that carry the message.
        message: the message.
        pauses: seconds before each further attempt in a channel that did not deliver it, unless it
            never will.
    """
    try:
        return await asyncio.gather(*(_send(each, message, pauses) for each in channels))
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
