"""Reads the dates that upstream services state, and checks whether they are possible."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
"""No upstream is older than the web. A server without a date may state 1970."""

_AHEAD = timedelta(days=1)
"""How far a server's clock may be ahead of ours."""


def parse_date(value: str | None) -> datetime | None:
    """Return the moment that a header names, in UTC; None if it names none."""
    try:
        moment = parsedate_to_datetime(value) if value else None
        if moment is None:
            return None
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def past_date(value: str | None, now: datetime | None = None) -> datetime | None:
    """Return the moment that a header names, if something can have happened then.

    A moment in the future, or before there was anything upstream, counts as unknown.
    """
    moment = parse_date(value)
    latest = (now or datetime.now(UTC)) + _AHEAD
    return moment if moment is not None and EARLIEST <= moment <= latest else None
