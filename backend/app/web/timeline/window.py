"""The period that a timeline shows, and the links that change it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from app.core.errors import WrongUse
from app.web.timeline.history import AttemptSpan

MIN_SPAN = timedelta(milliseconds=100)
"""The shortest window."""

_MARGIN = 0.05
"""The margin on either side of an attempt after zooming, as a share of the window."""


@dataclass(frozen=True, slots=True)
class Window:
    """A period with a start and an end."""

    begin: datetime
    end: datetime

    @property
    def length(self) -> timedelta:
        """The length, which is never 0."""
        return self.end - self.begin

    @property
    def query(self) -> str:
        """The query string of the URL that shows the window."""
        return urlencode({"from": _written(self.begin), "to": _written(self.end)})

    def meets(self, begin: datetime, end: datetime) -> bool:
        """Tell whether a period overlaps the window."""
        return begin <= self.end and end >= self.begin


@dataclass(frozen=True, slots=True)
class Zoom:
    """A link to another window; without a query, to the whole run."""

    label: str
    query: str


def whole_of(attempts: Sequence[AttemptSpan], now: datetime) -> Window:
    """Return the time from the first attempt to the end of the last one, or to now."""
    begin = attempts[0].begin
    return Window(begin, max(attempts[-1].end or now, begin + MIN_SPAN))


def window_of(whole: Window, begin: datetime | None, end: datetime | None) -> Window:
    """Return the requested window.

    It may extend beyond the run by at most the run's length on either side.

    Args:
        whole: the period of the run, which provides the defaults of ``begin`` and ``end``.
        begin: the start of the window. A time without a zone is in UTC.
        end: the end of the window.

    Raises:
        WrongUse: the window is too short, or too far from the run.
    """
    first, last = whole.begin - whole.length, whole.end + whole.length
    begin, end = _aware(begin) or whole.begin, _aware(end) or whole.end
    window = Window(max(begin, first), min(end, last))
    if window.length < MIN_SPAN:
        raise WrongUse(
            f"the timeline from {_written(begin)} to {_written(end)}",
            allowed=f"at least {MIN_SPAN.total_seconds():g} s between {_written(whole.begin)} and"
            f" {_written(whole.end)}",
        )
    return window


def close_to(begin: datetime, end: datetime) -> Window:
    """Return a window around a period, with a margin."""
    length = max(end - begin, MIN_SPAN)
    return Window(begin - _MARGIN * length, begin + (1 + _MARGIN) * length)


def zooms(window: Window, whole: Window) -> list[Zoom]:
    """Return the links from a window to others."""
    found = []
    half = window.length / 2
    if half >= MIN_SPAN:
        found.append(Zoom("Zoom in", Window(window.begin + half / 2, window.end - half / 2).query))
    wider = Window(window.begin - half, window.end + half)
    if window.begin > whole.begin or window.end < whole.end:
        covers = wider.begin <= whole.begin and wider.end >= whole.end
        found.append(Zoom("Zoom out", "" if covers else wider.query))
    if window.begin > whole.begin:
        found.append(Zoom("Earlier", Window(window.begin - half, window.end - half).query))
    if window.end < whole.end:
        found.append(Zoom("Later", Window(window.begin + half, window.end + half).query))
    if window != whole:
        found.append(Zoom("Whole run", ""))
    return found


def _aware(at: datetime | None) -> datetime | None:
    return at.replace(tzinfo=UTC) if at is not None and at.tzinfo is None else at


def _written(at: datetime) -> str:
    try:
        at = at.astimezone(UTC)
    except OverflowError:  # in UTC, the year would be 0 or 10000
        return at.isoformat()
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
