"""Reads the dates that upstream services state, and checks whether they are possible."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
"""No upstream is older than the web. A server that does not know a date may state 1970."""

_MAX_CLOCK_SKEW = timedelta(days=1)
"""How far a server's clock may be ahead of ours."""


def parse_date(value: str | None) -> datetime | None:
    """Return the time that a header states, in UTC; None if it states none."""
    try:
        moment = parsedate_to_datetime(value) if value else None
        if moment is None:
            return None
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def past_date(value: str | None, now: datetime | None = None) -> datetime | None:
    """Return the time that a header states, in UTC; None if it states no possible time.

    A time in the future, or before the web existed, is not possible.
    """
    moment = parse_date(value)
    latest = (now or datetime.now(UTC)) + _MAX_CLOCK_SKEW
    return moment if moment is not None and EARLIEST <= moment <= latest else None
