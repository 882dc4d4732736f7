"""Reads the headers of HTTP answers that state a time."""

import math
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


def parse_date(value: str | None) -> datetime | None:
    """Return the time that a header states, in UTC; None if it states none."""
    try:
        moment = parsedate_to_datetime(value) if value else None
        if moment is None:
            return None
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def retry_after(
    value: str | None, longest: float = math.inf, now: datetime | None = None
) -> float | None:
    """Return the seconds that a ``Retry-After`` asks for; None if it cannot be read.

    It is a whole number, a fraction (Ensembl) or a date.

    Args:
        value: of the header.
        longest: the most seconds that are returned.
        now: the current time, if it is not the clock's.
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
    return min(max(0.0, seconds), longest) if math.isfinite(seconds) else None
