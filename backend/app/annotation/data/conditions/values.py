"""Parses the values of conditions as the type of their field."""

import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

from app.core.errors import WrongUse
from app.core.text import times
from app.core.text.nearest import did_you_mean

_WHOLE = re.compile(r"[+-]?[0-9]{1,18}", re.ASCII)

_NUMBER = re.compile(r"[+-]?[0-9]{1,18}(?:\.[0-9]{1,18})?(?:[eE][+-]?[0-9]{1,3})?", re.ASCII)

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)

_MICROSECOND = timedelta(microseconds=1)


def read_text(condition: str, value: str) -> str:
    """Return the text unchanged."""
    del condition
    return value


def read_one_of(condition: str, value: str, values: Sequence[str]) -> str:
    """Return one of a field's values.

    Raises:
        WrongUse: it is none of them.
    """
    if value in values:
        return value
    raise WrongUse(
        f"the condition {condition!r} has a value that the field cannot have"
        f"{did_you_mean(value, values)}",
        allowed=", ".join(values),
    )


def read_boolean(condition: str, value: str) -> bool:
    """Return a truth value.

    Raises:
        WrongUse: it is none.
    """
    return read_one_of(condition, value.lower(), ("true", "false")) == "true"


def read_whole_number(condition: str, value: str) -> Decimal:
    """Return a whole number.

    Raises:
        WrongUse: it is none.
    """
    return Decimal(_of_form(condition, value, _WHOLE, "a whole number of at most 18 digits: 10"))


def read_number(condition: str, value: str) -> Decimal:
    """Return a number.

    Raises:
        WrongUse: it is none.
    """
    return Decimal(
        _of_form(condition, value, _NUMBER, "a number of at most 18 digits: 10, 0.35 or 1e-5")
    )


def read_date(condition: str, value: str) -> str:
    """Return a day as it is stored: ``2026-03-31``.

    Raises:
        WrongUse: it is none.
    """
    allowed = "a day: 2026-03-31"
    _of_form(condition, value, _DAY, allowed)
    try:
        return date.fromisoformat(value).isoformat()
    except ValueError:
        raise _refused(condition, allowed) from None


def read_time(condition: str, value: str) -> tuple[datetime, datetime]:
    """Return when a day in UTC, or a time, begins, and when it has ended.

    Raises:
        WrongUse: it is none, or has no zone.
    """
    allowed = "a day (2026-03-31) or a time with its zone (2026-03-31T18:00:00Z)"
    try:
        start, end = times.read_time(value)
    except ValueError:
        raise _refused(condition, allowed) from None
    return start, max(end, start + _MICROSECOND)


def _of_form(condition: str, value: str, form: re.Pattern[str], allowed: str) -> str:
    if not form.fullmatch(value):
        raise _refused(condition, allowed)
    return value


def _refused(condition: str, allowed: str) -> WrongUse:
    return WrongUse(
        f"the condition {condition!r} has a value that the field cannot have", allowed=allowed
    )
