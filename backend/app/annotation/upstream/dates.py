"""Reads the dates that upstream services state, and rejects implausible ones."""

from datetime import UTC, datetime, timedelta

from app.core.text.http_headers import parse_date

EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
"""The earliest plausible date. A server that does not know a date may state 1970."""

_MAX_CLOCK_SKEW = timedelta(days=1)
"""The maximum by which a server's clock may be ahead of the local clock."""


def past_date(value: str | None, now: datetime | None = None) -> datetime | None:
    """Return the time that a header states, in UTC; None if it states no plausible time.

    A time in the future or before 1990 is not plausible.
    """
    moment = parse_date(value)
    latest = (now or datetime.now(UTC)) + _MAX_CLOCK_SKEW
    return moment if moment is not None and EARLIEST <= moment <= latest else None
