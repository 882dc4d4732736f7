"""Parses the days and times that people type."""

import re
from datetime import UTC, date, datetime, timedelta

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


def read_time(value: str) -> tuple[datetime, datetime]:
    """Return the begin and the end of a day in UTC, or twice the same moment for a time.

    Args:
        value: a day such as ``2026-03-31``, or a time with a time zone.

    Raises:
        ValueError: the value is neither. The message continues a sentence such as "since is x, ".
    """
    try:
        if _DAY.fullmatch(value):
            start = datetime.combine(date.fromisoformat(value), datetime.min.time(), UTC)
            return start, start + timedelta(days=1)
        # in a URL's query, an unencoded `+` means a space
        at = datetime.fromisoformat(value.replace(" ", "+"))
        zoned = None if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("which is neither a day nor a time") from None
    if zoned is None:
        raise ValueError("a time without a time zone")
    return zoned, zoned
