"""Formats single values of answers, and shortens long ones."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Generic, TypeVar
from urllib.parse import urlsplit

import msgspec

from app.annotation.sources.links import address_of

S = TypeVar("S")
T = TypeVar("T")

MAX_SHOWN = 8
"""Maximum number of a list's elements shown initially."""

MAX_LISTED = 200
"""Maximum number of a list's elements on a page. The JSON has all of them."""

MAX_CHARS = 600
"""Maximum number of a text's characters shown initially."""

MAX_CELL = 5
"""Maximum number of a list's elements written into a cell of a table."""

_HGNC_ID = re.compile(r"HGNC:[0-9]{1,9}", re.ASCII)

_THOUSAND = 1_000


@dataclass(frozen=True, slots=True)
class Value:
    """A formatted value.

    Attributes:
        text: the text shown initially.
        rest: the rest of a long text, shown on request.
        href: the address of the identified object at another site.
        gene: the HGNC id of a gene that has a page here.
        unit: the unit of a number.
        is_none: whether the source does not state the value.
        parts: the values of a list that ``text`` joins.
        left_out: the number of further values of a list.
    """

    kind = "value"
    text: str
    rest: str = ""
    href: str = ""
    gene: str = ""
    unit: str = ""
    is_none: bool = False
    parts: tuple["Value", ...] = ()
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class Cut(Generic[T]):
    """A shortened list.

    Attributes:
        first: the elements shown initially.
        rest: the elements shown on request.
        left_out: the number of elements that only the JSON has.
    """

    first: list[T]
    rest: list[T]
    left_out: int

    @property
    def more(self) -> int:
        """The number of elements not shown initially."""
        return len(self.rest) + self.left_out

    def __len__(self) -> int:
        return len(self.first) + self.more


def cut(
    elements: Sequence[S], show: Callable[[S], T], first: int = MAX_SHOWN, listed: int = MAX_LISTED
) -> Cut[T]:
    """Shorten a list.

    Args:
        elements: the elements of the list.
        show: formats an element. It is called only for elements on the page.
        first: the number of elements shown initially. If only one more exists, it is shown as well.
        listed: how many the page has.
    """
    if len(elements) == first + 1:
        first += 1
    shown = [show(element) for element in elements[:listed]]
    return Cut(shown[:first], shown[first:], len(elements) - len(shown))


NONE = Value("none stated", is_none=True)


def write(value: Any, field: str = "", unit: str | None = None) -> Value:
    """Format a value.

    Args:
        value: any JSON value, including values of a type that the field does not declare.
        field: the name of its field, which reveals the kind of identifiers without a typical form.
        unit: the unit of a number.
    """
    match value:
        case None | bool():
            return NONE if value is None else Value("yes" if value else "no")
        case int() | float():
            href = address_of(value, field)
            text = str(value) if href or _is_name(unit) else number(value)
            return Value(text, href=href, unit=_unit(unit))
        case str():
            return _text(value, field)
        case list():
            parts = tuple(write(each, field, unit) for each in value[:MAX_CELL])
            text = ", ".join(part.text for part in parts) or "none"
            left_out = len(value) - len(parts)
            text += f" and {left_out:,} more" if left_out else ""
            return Value(text, is_none=not value, parts=parts, left_out=left_out)
        case dict():
            return Value(_joined_map(value, field), is_none=not value)
        case _:
            return _text(msgspec.json.encode(value).decode(), "")


def number(value: float) -> str:
    """Format a number with thousands separators, and fractions with four digits."""
    if isinstance(value, int):
        return f"{value:,}"
    if abs(value) >= _THOUSAND:
        return f"{value:,.0f}"
    return f"{value:.4g}"


def as_number(value: Any) -> float | None:
    """Return a number; None for another type, which older answers may have."""
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def elements(value: Any) -> list[dict[str, Any]]:
    """Return the objects of a list; an empty list for another type."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def at(data: Any, path: str) -> Any:
    """Return the value at a path; None if there is none."""
    return follow(data, path.split("."))


def follow(data: Any, names: Iterable[str]) -> Any:
    """Return the value at nested names; None if there is none."""
    for name in names:
        data = data.get(name) if isinstance(data, dict) else None
    return data


def _text(value: str, field: str) -> Value:
    if _HGNC_ID.fullmatch(value):
        return Value(value, gene=value)
    if len(value) <= MAX_CHARS:
        href = address_of(value, field)
        return Value(urlsplit(href).netloc if href == value else value, href=href)
    end = value.rfind(" ", MAX_CHARS // 2, MAX_CHARS)
    end = MAX_CHARS if end < 0 else end
    return Value(value[:end], rest=value[end:])


def _joined_map(value: dict[str, Any], field: str) -> str:
    shown = [f"{key}: {write(each, field).text}" for key, each in islice(value.items(), MAX_CELL)]
    more = len(value) - len(shown)
    return "; ".join(shown) + (f" and {more:,} more" if more else "") if shown else "none"


def _is_name(unit: str | None) -> bool:
    """Tell whether a number is an identifier, which has no thousands separators."""
    return unit is not None and (unit.endswith(" id") or unit == "version")


def _unit(unit: str | None) -> str:
    if unit is None or _is_name(unit):
        return ""
    # so that the unit `score 0-1000` is not read as a part of the number
    return f"({unit})" if any(map(str.isdigit, unit)) else unit
