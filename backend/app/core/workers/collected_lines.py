"""Collects the log lines of attempts, so that they can be displayed with their runs.

A line belongs to the attempt whose ``run`` and ``epoch`` are bound in the logging context. It
equals the line in the process's log: it has the same level, no secrets, and no traceback for a
`UserError`.
"""

import logging
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime

from structlog.contextvars import get_contextvars

from app.core.errors import UserError
from app.core.process.logs import matters
from app.core.process.redaction import redact
from app.core.runs.log_lines import MAX_LINE_CHARS, MAX_LINES, Key, Line
from app.core.text.words import shortened
from app.db.text import storable

TRACEBACK_HEAD, TRACEBACK_TAIL = 10, 30
"""Lines that are kept at the beginning and at the end of a traceback. The end has the exception."""

_MAX_REDACTED_CHARS = 8_000
"""Characters that are kept and redacted at the beginning and at the end of a long text. The middle
is cut, which bounds the time per line."""


@dataclass(slots=True)
class _Attempt:
    """The lines of an attempt that are not stored yet. At the limit, the oldest are dropped."""

    logged: int = 0
    lines: deque[Line] = field(default_factory=lambda: deque(maxlen=MAX_LINES))

    def add(self, at: datetime, level: str, text: str) -> None:
        self.logged += 1
        self.lines.append(Line(self.logged, at, level, shortened(text, MAX_LINE_CHARS)))


class CollectedLines(logging.Handler):
    """A logging handler that collects the lines of some attempts in memory.

    It may be called in any thread, and never blocks.
    """

    def __init__(self) -> None:
        super().__init__()
        self.addFilter(matters)
        self._attempts: dict[Key, _Attempt] = {}

    def begin(self, key: Key) -> None:
        """Start to collect the lines of an attempt."""
        self._attempts[key] = _Attempt()

    def end(self, key: Key) -> None:
        """Stop collecting the lines of an attempt, and drop those that are not stored."""
        self._attempts.pop(key, None)

    def waiting(self) -> dict[Key, list[Line]]:
        """Return the lines that are not stored yet, by attempt."""
        return {
            key: list(attempt.lines) for key, attempt in self._attempts.items() if attempt.lines
        }

    def stored(self, key: Key, number: int) -> None:
        """Drop the lines of an attempt up to this number, because they are stored."""
        attempt = self._attempts.get(key)
        while attempt is not None and attempt.lines and attempt.lines[0].number <= number:
            attempt.lines.popleft()

    def emit(self, record: logging.LogRecord) -> None:
        """Collect a record; see `logging.Handler.emit`."""
        bound = get_contextvars()
        attempt = self._attempts.get((bound.get("run", 0), bound.get("epoch", 0)))
        if attempt is None:
            return
        try:
            at = datetime.fromtimestamp(record.created, UTC)
            for text in _lines_of(record, bound.get("source")):
                attempt.add(at, record.levelname.lower(), text)
        except Exception:  # noqa: BLE001 - a logging handler must not raise
            self.handleError(record)


def _lines_of(record: logging.LogRecord, source: str | None) -> list[str]:
    message = record.getMessage()
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, UserError) and str(error) not in message:
        message = f"{message}: {error}"
    if source is not None and not message.startswith(source):
        message = f"{source}: {message}"
    lines = _clean(message)
    if record.exc_info and error is not None and not isinstance(error, UserError):
        lines += _shorten(_clean(logging.Formatter().formatException(record.exc_info)))
    return lines or [""]


def _clean(text: str) -> list[str]:
    """Return the redacted lines of a text. The middle of a long text is cut."""
    if len(text) <= 2 * _MAX_REDACTED_CHARS:
        return redact(storable(text)).splitlines()
    head = redact(storable(text[:_MAX_REDACTED_CHARS])).splitlines()
    tail = redact(storable(text[-_MAX_REDACTED_CHARS:])).splitlines()
    # the lines at the cut are dropped, because half a secret would not be recognized; a single line
    # is later truncated far before the cut
    return [*(head[:-1] or head), *tail[1:]]


def _shorten(lines: list[str]) -> list[str]:
    """Cut the middle of a traceback."""
    left_out = len(lines) - TRACEBACK_HEAD - TRACEBACK_TAIL
    if left_out <= 1:
        return lines
    return [
        *lines[:TRACEBACK_HEAD],
        f"  ... {left_out} lines are left out ...",
        *lines[-TRACEBACK_TAIL:],
    ]
