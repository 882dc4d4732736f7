"""Formats times, durations and numbers for the pages."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from markupsafe import Markup

from app.core.text.words import time_span

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_DECIMALS_BELOW = 10


def when(at: datetime | None, none: str = "never") -> Markup:
    """Format a time with its zone and its distance from now.

    The distance is coarse, so that live pages change only when something happens.
    """
    if at is None:
        return Markup("<span>{}</span>").format(none)
    exact = at.astimezone(UTC)
    return Markup('<time datetime="{}">{}</time> <span class="ago">{}</span>').format(
        exact.isoformat(timespec="seconds"), f"{exact:%Y-%m-%d %H:%M:%S} UTC", _distance(exact)
    )


def clock(at: datetime) -> str:
    """Format a time to the millisecond, in UTC."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}"[:-3]


def in_zone(at: datetime, zone: str) -> str:
    """Format a time in another time zone."""
    return f"{at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M:%S %Z}"


def _distance(at: datetime) -> str:
    seconds = (datetime.now(UTC) - at).total_seconds()
    form = "{} ago" if seconds >= 0 else "in {}"
    seconds = abs(seconds)
    if seconds < _MINUTE:
        return form.format("less than a minute")
    for unit, name, end in (
        (_MINUTE, "minute", 90 * _MINUTE),
        (_HOUR, "hour", 48 * _HOUR),
        (_DAY, "day", float("inf")),
    ):
        if seconds < end:
            number = int(seconds // unit)
            return form.format(f"{number:,} {name}{'' if number == 1 else 's'}")
    raise AssertionError(seconds)


def duration(seconds: float | None) -> str:
    """Format a duration; a dash if it is not known."""
    return "-" if seconds is None else time_span(max(seconds, 0.0))


def count(number: int | None) -> str:
    """Format a number with commas between thousands; a dash if it is not known."""
    return "-" if number is None else f"{number:,}"


def words(number: int, one: str, many: str | None = None) -> str:
    """Format a number with its noun: ``1 run``, ``2,000 runs``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def speed(genes: float) -> str:
    """Format a number of genes a second: ``0.3 genes/s``, ``1,200 genes/s``."""
    return f"{genes:,.0f} genes/s" if genes >= _DECIMALS_BELOW else f"{genes:.1f} genes/s"
