"""Reads the days and times that people type."""

import re
from datetime import UTC, date, datetime, timedelta

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


def read_time(value: str) -> tuple[datetime, datetime]:
    """Return when a day begins and ends, in UTC. A time with its zone begins and ends at once.

    Raises:
        ValueError: it is neither. The message says why.
    """
    try:
        if _DAY.fullmatch(value):
            start = datetime.combine(date.fromisoformat(value), datetime.min.time(), UTC)
            return start, start + timedelta(days=1)
        # a `+` in an address means a blank unless it is written as %2B
        at = datetime.fromisoformat(value.replace(" ", "+"))
        zoned = None if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("which is no day and no time") from None
    if zoned is None:
        raise ValueError("a time without a zone")
    return zoned, zoned
