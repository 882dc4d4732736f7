"""Reads the dates that upstream services state, and checks whether they are possible."""

from datetime import UTC, datetime, timedelta

from app.core.text.http_headers import parse_date

EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
"""No upstream is older than the web. A server that does not know a date may state 1970."""

_MAX_CLOCK_SKEW = timedelta(days=1)
"""How far a server's clock may be ahead of ours."""


def past_date(value: str | None, now: datetime | None = None) -> datetime | None:
    """Return the time that a header states, in UTC; None if it states no possible time.

    A time in the future, or before the web existed, is not possible.
    """
    moment = parse_date(value)
    latest = (now or datetime.now(UTC)) + _MAX_CLOCK_SKEW
    return moment if moment is not None and EARLIEST <= moment <= latest else None
