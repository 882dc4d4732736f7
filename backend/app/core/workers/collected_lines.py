"""Collects the log lines of attempts, so that they can be shown with their runs.

A line belongs to the attempt whose ``run`` and ``epoch`` are bound where it is logged. It is what
the process writes to its log: the same level, without secrets, and without the traceback of an
error that the user can mend.
"""

import logging
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime

from structlog.contextvars import get_contextvars

from app.core.errors import UserError
from app.core.process.logs import matters
from app.core.process.redaction import redact
from app.core.runs.log_lines import LONGEST_LINE, MOST_LINES, Key, Line
from app.core.text.words import shortened
from app.db.text import storable

TRACEBACK_HEAD, TRACEBACK_TAIL = 10, 30
"""Lines of a traceback that are kept. Its end says what was raised."""

_ENOUGH = 8_000
"""Characters at the beginning and at the end of a long text that are looked through for secrets.
The rest is cut out, which bounds the time that a line takes."""


@dataclass(slots=True)
class _Attempt:
    """The lines of an attempt that were not taken yet; the oldest are dropped."""

    logged: int = 0
    lines: deque[Line] = field(default_factory=lambda: deque(maxlen=MOST_LINES))

    def add(self, at: datetime, level: str, text: str) -> None:
        self.logged += 1
        self.lines.append(Line(self.logged, at, level, shortened(text, LONGEST_LINE)))


class CollectedLines(logging.Handler):
    """A handler of the log that collects the lines of some attempts in memory.

    It is called wherever something is logged, also in threads, and never waits for anything.
    """

    def __init__(self) -> None:
        super().__init__()
        self.addFilter(matters)
        self._attempts: dict[Key, _Attempt] = {}

    def begin(self, key: Key) -> None:
        """Collect the lines of an attempt from now on."""
        self._attempts[key] = _Attempt()

    def end(self, key: Key) -> None:
        """Collect no more lines of an attempt, and drop those that were not stored."""
        self._attempts.pop(key, None)

    def waiting(self) -> dict[Key, list[Line]]:
        """Return the lines that are to be stored, by attempt."""
        return {
            key: list(attempt.lines) for key, attempt in self._attempts.items() if attempt.lines
        }

    def stored(self, key: Key, number: int) -> None:
        """Drop the lines of an attempt up to this number."""
        attempt = self._attempts.get(key)
        while attempt is not None and attempt.lines and attempt.lines[0].number <= number:
            attempt.lines.popleft()

    def emit(self, record: logging.LogRecord) -> None:
        """See logging."""
        bound = get_contextvars()
        attempt = self._attempts.get((bound.get("run", 0), bound.get("epoch", 0)))
        if attempt is None:
            return
        try:
            at = datetime.fromtimestamp(record.created, UTC)
            for text in _lines_of(record, bound.get("source")):
                attempt.add(at, record.levelname.lower(), text)
        except Exception:  # noqa: BLE001 - as every handler does it: logging must not fail
            self.handleError(record)


def _lines_of(record: logging.LogRecord, source: str | None) -> list[str]:
    said = record.getMessage()
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, UserError) and str(error) not in said:
        said = f"{said}: {error}"
    if source is not None and not said.startswith(source):
        said = f"{source}: {said}"
    lines = _clean(said)
    if record.exc_info and error is not None and not isinstance(error, UserError):
        lines += _shorten(_clean(logging.Formatter().formatException(record.exc_info)))
    return lines or [""]


def _clean(text: str) -> list[str]:
    """Return the lines of a text without secrets. Of a long text, the middle is left out."""
    if len(text) <= 2 * _ENOUGH:
        return redact(storable(text)).splitlines()
    head = redact(storable(text[:_ENOUGH])).splitlines()
    tail = redact(storable(text[-_ENOUGH:])).splitlines()
    # at the cut there may be half a secret; a single line is shortened far before the cut
    return [*(head[:-1] or head), *tail[1:]]


def _shorten(lines: list[str]) -> list[str]:
    """Leave out the middle of a traceback."""
    left_out = len(lines) - TRACEBACK_HEAD - TRACEBACK_TAIL
    if left_out <= 1:
        return lines
    return [
        *lines[:TRACEBACK_HEAD],
        f"  ... {left_out} lines are left out ...",
        *lines[-TRACEBACK_TAIL:],
    ]
