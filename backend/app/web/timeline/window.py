"""The time that a timeline shows, and the links that change it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from app.core.errors import WrongUse
from app.web.timeline.history import AttemptSpan

MIN_SPAN = timedelta(milliseconds=100)
"""What can be seen at the closest."""

_MARGIN = 0.05
"""The part of the window beside an attempt that is looked at closely."""


@dataclass(frozen=True, slots=True)
class Window:
    """A time from its beginning to its end."""

    begin: datetime
    end: datetime

    @property
    def length(self) -> timedelta:
        """How long it is. It is never empty."""
        return self.end - self.begin

    @property
    def query(self) -> str:
        """The query of an address that shows it."""
        return urlencode({"from": _written(self.begin), "to": _written(self.end)})

    def meets(self, begin: datetime, end: datetime) -> bool:
        """Tell whether something lies in it, at least in part."""
        return begin <= self.end and end >= self.begin


@dataclass(frozen=True, slots=True)
class Zoom:
    """A link that shows another window; without a query, it shows the whole."""

    label: str
    query: str


def whole_of(attempts: Sequence[AttemptSpan], now: datetime) -> Window:
    """Return the time from the first attempt to the end of the last one, or to now."""
    begin = attempts[0].begin
    return Window(begin, max(attempts[-1].end or now, begin + MIN_SPAN))


def window_of(whole: Window, begin: datetime | None, end: datetime | None) -> Window:
    """Return the window that somebody asks for.

    It ends at most the length of the run before and after the run.

    Args:
        whole: the run. What is not given is its beginning or its end.
        begin: the start of the window. A time without a zone is in UTC.
        end: the end of the window.

    Raises:
        WrongUse: it is too short, or has nothing to do with the run.
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
    """Return a window in which something is seen from its beginning to its end."""
    length = max(end - begin, MIN_SPAN)
    return Window(begin - _MARGIN * length, begin + (1 + _MARGIN) * length)


def zooms(window: Window, whole: Window) -> list[Zoom]:
    """Return the links that lead from a window to others."""
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
    except OverflowError:  # in UTC, the year is 0 or 10000
        return at.isoformat()
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
