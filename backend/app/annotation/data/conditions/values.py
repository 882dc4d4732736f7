"""Reads the values of conditions, each as the type that its field has."""

import difflib
import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from app.core.errors import WrongUse

_WHOLE = re.compile(r"[+-]?[0-9]{1,18}", re.ASCII)

_NUMBER = re.compile(r"[+-]?[0-9]{1,18}(?:\.[0-9]{1,18})?(?:[eE][+-]?[0-9]{1,3})?", re.ASCII)

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)

_MICROSECOND = timedelta(microseconds=1)


def read_text(condition: str, value: str) -> str:
    """Return any text."""
    del condition
    return value


def read_one_of(condition: str, value: str, values: Sequence[str]) -> str:
    """Return one of a field's values.

    Raises:
        WrongUse: it is none of them.
    """
    if value in values:
        return value
    near = difflib.get_close_matches(value.lower(), values, n=1)
    also = f"; did you mean {near[0]}?" if near else ""
    raise WrongUse(
        f"the condition {condition!r} has a value that the field cannot have{also}",
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
        if _DAY.fullmatch(value):
            start = datetime.combine(date.fromisoformat(value), datetime.min.time(), UTC)
            return start, start + timedelta(days=1)
        # a `+` in an address means a blank unless it is written as %2B
        at = datetime.fromisoformat(value.replace(" ", "+"))
        if at.tzinfo is None:
            raise _refused(condition, allowed)
        at = at.astimezone(UTC)
        return at, at + _MICROSECOND
    except (ValueError, OverflowError):
        raise _refused(condition, allowed) from None


def _of_form(condition: str, value: str, form: re.Pattern[str], allowed: str) -> str:
    if not form.fullmatch(value):
        raise _refused(condition, allowed)
    return value


def _refused(condition: str, allowed: str) -> WrongUse:
    return WrongUse(
        f"the condition {condition!r} has a value that the field cannot have", allowed=allowed
    )
