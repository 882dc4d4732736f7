"""The axis of a timeline: round times in UTC."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from app.web.timeline.window import Window

MAX_TICKS = 8

_SECOND, _MINUTE, _HOUR, _DAY = 1, 60, 3_600, 86_400
_STEPS = [
    timedelta(seconds=seconds)
    for seconds in (
        *(0.01, 0.02, 0.05, 0.1, 0.2, 0.5),
        *(each * _SECOND for each in (1, 2, 5, 10, 15, 30)),
        *(each * _MINUTE for each in (1, 2, 5, 10, 15, 30)),
        *(each * _HOUR for each in (1, 2, 3, 6, 12)),
        *(each * _DAY for each in (1, 2, 5, 10, 30, 100, 365)),
    )
]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Tick:
    """A time on the axis.

    Attributes:
        label: the time of day, or the date.
        day: the date; empty if it equals that of the previous tick.
    """

    at: datetime
    label: str
    day: str


def ticks_of(window: Window) -> list[Tick]:
    """Return round times in a window, at most eight steps in total."""
    step = next((each for each in _STEPS if window.length <= MAX_TICKS * each), _STEPS[-1])
    step *= max(1, -(-window.length // (MAX_TICKS * step)))
    number = -((_EPOCH - window.begin) // step)
    found: list[Tick] = []
    day = ""
    while (at := _EPOCH + number * step) <= window.end:
        today = f"{at:%Y-%m-%d}"
        shows_time = step < timedelta(days=1)
        label = _time(at, step) if shows_time else today
        found.append(Tick(at, label, today if shows_time and today != day else ""))
        day = today
        number += 1
    return found


def _time(at: datetime, step: timedelta) -> str:
    if step >= timedelta(minutes=1):
        return f"{at:%H:%M}"
    if step >= timedelta(seconds=1):
        return f"{at:%H:%M:%S}"
    return f"{at:%H:%M:%S.%f}"[:-4]
