"""Notices: the content of notifications, before their delivery is planned."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from app.core.errors import Step
from app.core.notify.message import Kind, Severity
from app.core.process.redaction import redact
from app.core.text.printable import printable
from app.core.text.words import shortened
from app.db.text import storable

MAX_TITLE = 200
"""Characters of a title."""

MAX_TEXT = 4_000
"""Characters of a text. The log and the pages have the rest."""

SEVERITIES = {
    Kind.NOBODY_EXECUTES: Severity.CRITICAL,
    Kind.UNIT_FAILED: Severity.CRITICAL,
    Kind.RUN_FAILED: Severity.WARNING,
    Kind.SOURCE_HELD: Severity.WARNING,
    Kind.SOURCE_DOWN: Severity.WARNING,
    Kind.DATA_STALE: Severity.WARNING,
    Kind.TASK_FAILED: Severity.WARNING,
}
"""The severities by kind. All other kinds have the severity `info`."""


CommandOf = Callable[[Step], str]
"""Returns what to type to take a step. The engine does not know its own command line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """The content of a notification.

    Attributes:
        kind: the kind of the notification.
        at: when the event happened, or when the state began.
        title: what happened, in one line. It may contain any characters; see :meth:`row`.
        text: what happened, what it means and what to type.
        detail: the same for programs, as JSON.
        subject: the subject of an incident, such as a source; None if the notice is no incident.
        run_id: the run that opened the incident.
        sources: the sources whose success ends the incident.
    """

    kind: Kind
    at: datetime
    title: str
    text: str
    detail: Mapping[str, Any] = field(default_factory=dict)
    subject: str | None = None
    run_id: int | None = None
    sources: tuple[str, ...] | None = None

    def row(self) -> dict[str, Any]:
        """Return the stored form: plain text without secrets and control characters."""
        return {
            "kind": self.kind,
            "severity": SEVERITIES.get(self.kind, Severity.INFO),
            "at": self.at.isoformat(),
            "title": one_line(self.title),
            "text": some_lines(self.text),
            "detail": _plain(self.detail),
            "subject": None if self.subject is None else storable(self.subject),
            "run_id": self.run_id,
            "sources": None if self.sources is None else list(self.sources),
        }


def one_line(text: str, max_chars: int = MAX_TITLE) -> str:
    """Return text as one line without control characters and secrets, truncated if it is long."""
    return shortened(printable(" ".join(redact(storable(text)).split())), max_chars)


def some_lines(text: str) -> str:
    """Return text as lines without control characters and secrets, truncated if it is long."""
    return shortened(printable("\n".join(redact(storable(text)).splitlines())).strip(), MAX_TEXT)


def _plain(value: Any) -> Any:
    """Return a JSON value whose strings have no control characters and secrets."""
    if isinstance(value, str):
        return some_lines(value)
    if isinstance(value, Mapping):
        return {one_line(str(key)): _plain(each) for key, each in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
