"""What is told to people, and what carries it to them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from app.core.errors import KidneyGeneticsError

_ID = re.compile(r"[A-Za-z0-9_-]{1,200}")


class Kind(StrEnum):
    """What a message tells of. Each kind can be switched off."""

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
    """How urgent a message is."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True)
class Message:
    """Something that people are told. It contains no secrets.

    Attributes:
        id: the same for each attempt to deliver this message, so that a receiver recognizes a
            message that arrives twice. Letters, digits, `-` and `_`: it is a part of a signed text,
            where a full stop separates it, and of a header.
        kind: what it tells of: a member of :class:`Kind`.
        severity: a member of :class:`Severity`.
        at: when it happened.
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
        """Refuse an id that could be confused with what surrounds it.

        Raises:
            ValueError: the id has other characters, or none.
        """
        if not _ID.fullmatch(self.id):
            message = "the id of a message has letters, digits, - and _ only"
            raise ValueError(message)


class NotDelivered(KidneyGeneticsError):
    """A channel could not deliver a message.

    Args:
        reason: why, without secrets: an address of a webhook is shown as its host only.
        permanent: whether another attempt would fail in the same way.
        retry_after: seconds after which the receiver wants to be asked again, if it said so.
    """

    def __init__(
        self, reason: str, *, permanent: bool = False, retry_after: float | None = None
    ) -> None:
        self.reason = reason
        self.permanent = permanent
        self.retry_after = retry_after
        super().__init__(reason)


class Channel(Protocol):
    """Carries messages to people."""

    @property
    def name(self) -> str:
        """``webhook``, ``e-mail`` or ``apprise``; several webhooks: ``webhook 1``, ``webhook 2``.

        The name stays the same between two starts with the same settings.
        """

    async def send(self, message: Message) -> None:
        """Deliver a message, within a minute or so.

        Raises:
            NotDelivered: the receiver did not confirm it. It may have arrived nevertheless.
        """

    async def close(self) -> None:
        """Close the connections."""
