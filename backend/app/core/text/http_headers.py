"""Parses the times and durations in HTTP response headers."""

import math
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


def parse_date(value: str | None) -> datetime | None:
    """Return the time in a header, in UTC; None if the header is missing or invalid."""
    try:
        moment = parsedate_to_datetime(value) if value else None
        if moment is None:
            return None
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def retry_after(
    value: str | None, maximum: float = math.inf, now: datetime | None = None
) -> float | None:
    """Return the delay in a ``Retry-After`` header in seconds; None if it is missing or invalid.

    The value is a whole number, a fraction (Ensembl) or a date.

    Args:
        value: the value of the header.
        maximum: the upper bound of the result, in seconds.
        now: the current time; the default is the clock's.
    """
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        moment = parse_date(value)
        if moment is None:
            return None
        seconds = (moment - (now or datetime.now(UTC))).total_seconds()
    return min(max(0.0, seconds), maximum) if math.isfinite(seconds) else None
