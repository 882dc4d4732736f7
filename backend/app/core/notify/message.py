"""The messages that people get, and the interface of the channels that deliver them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from app.core.errors import KidneyGeneticsError

_ID = re.compile(r"[A-Za-z0-9_-]{1,200}")


class Kind(StrEnum):
    """The kinds of messages. Most of them can be switched off."""

    RUN_FAILED = "run failed"
    SOURCE_HELD = "source held"
    SOURCE_DOWN = "source down"
    DATA_STALE = "data stale"
    NOBODY_EXECUTES = "nobody executes runs"
    TASK_FAILED = "scheduled task failed"
    RECOVERED = "recovered"
    RELEASE_ARRIVED = "release arrived"
    SNAPSHOT_TAKEN = "snapshot taken"
    UNIT_FAILED = "unit failed"
    DIGEST = "digest"
    TEST = "test"


class Severity(StrEnum):
    """The urgency of a message."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True)
class Message:
    """A message to people. It contains no secrets.

    Attributes:
        id: identifies the message in all delivery attempts, so that a receiver recognizes a
            duplicate. It consists of letters, digits, `-` and `_`, because it is part of a header
            and of a signed text with full stops as separators.
        kind: a member of :class:`Kind`.
        severity: a member of :class:`Severity`.
        at: the time of the event.
        title: one line of plain text.
        text: a few lines of plain text: what happened, what it means and what to type.
        detail: the same for programs, as JSON: run id, source, counts.
    """

    id: str
    kind: str
    severity: str
    at: datetime
    title: str
    text: str
    detail: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Validate the id.

        Raises:
            ValueError: the id is empty or has other characters.
        """
        if not _ID.fullmatch(self.id):
            message = "the id of a message has letters, digits, - and _ only"
            raise ValueError(message)


class NotDelivered(KidneyGeneticsError):
    """A channel could not deliver a message.

    Args:
        reason: the reason, without secrets: of a webhook's address, only the host is named.
        permanent: whether another attempt would fail in the same way.
        retry_after: seconds to wait before the next attempt, if the receiver stated them.
    """

    def __init__(
        self, reason: str, *, permanent: bool = False, retry_after: float | None = None
    ) -> None:
        self.reason = reason
        self.permanent = permanent
        self.retry_after = retry_after
        super().__init__(reason)


class Channel(Protocol):
    """Delivers messages to people."""

    @property
    def name(self) -> str:
        """``webhook``, ``e-mail`` or ``apprise``; several webhooks: ``webhook 1``, ``webhook 2``.

        With the same settings, the name stays the same after a restart.
        """

    async def send(self, message: Message) -> None:
        """Deliver a message within about a minute.

        Raises:
            NotDelivered: the receiver did not confirm the message, which may have arrived anyway.
        """

    async def close(self) -> None:
        """Close the connections."""
