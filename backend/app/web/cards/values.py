"""Writes single values of answers, and cuts what is too long to be read."""

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
"""Elements of a list that are shown at once."""

MAX_LISTED = 200
"""Elements of a list that a page has at all. The JSON has all of them."""

MAX_CHARS = 600
"""Characters of a text that are shown at once."""

MAX_CELL = 5
"""Elements of a list that are written into one cell of a table."""

_HGNC_ID = re.compile(r"HGNC:[0-9]{1,9}", re.ASCII)

_THOUSAND = 1_000


@dataclass(frozen=True, slots=True)
class Value:
    """A value as a page shows it.

    Attributes:
        text: what is shown first.
        rest: the rest of a long text, shown on request.
        href: the address of what an identifier names at another site.
        gene: the HGNC id of a gene that has a page here.
        unit: the unit of a number.
        is_none: whether the source says nothing.
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
    """A list of which a page shows a part.

    Attributes:
        first: what is shown at once.
        rest: what is shown when somebody asks for it.
        left_out: the number of elements that only the JSON has.
    """

    first: list[T]
    rest: list[T]
    left_out: int

    @property
    def more(self) -> int:
        """The number of elements that are not shown at once."""
        return len(self.rest) + self.left_out

    def __len__(self) -> int:
        return len(self.first) + self.more


def cut(
    elements: Sequence[S], show: Callable[[S], T], first: int = MAX_SHOWN, listed: int = MAX_LISTED
) -> Cut[T]:
    """Cut a list.

    Args:
        elements: the elements of the list.
        show: makes of an element what the page shows. It is called for those that the page has.
        first: how many are shown at once. A single one more is shown, too.
        listed: how many the page has.
    """
    if len(elements) == first + 1:
        first += 1
    shown = [show(each) for each in elements[:listed]]
    return Cut(shown[:first], shown[first:], len(elements) - len(shown))


NONE = Value("none stated", is_none=True)


def write(value: Any, field: str = "", unit: str | None = None) -> Value:
    """Write a value.

    Args:
        value: any JSON, also what its field does not declare.
        field: the name of its field, which tells identifiers of which the form does not.
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
            text = ", ".join(each.text for each in parts) or "none"
            left_out = len(value) - len(parts)
            text += f" and {left_out:,} more" if left_out else ""
            return Value(text, is_none=not value, parts=parts, left_out=left_out)
        case dict():
            return Value(_joined_map(value, field), is_none=not value)
        case _:
            return _text(msgspec.json.encode(value).decode(), "")


def number(value: float) -> str:
    """Write a number with commas between thousands, and with four digits if it is no whole one."""
    if isinstance(value, int):
        return f"{value:,}"
    if abs(value) >= _THOUSAND:
        return f"{value:,.0f}"
    return f"{value:.4g}"


def as_number(value: Any) -> float | None:
    """Return a number; None for anything else, which data of a former version may have."""
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def elements(value: Any) -> list[dict[str, Any]]:
    """Return the objects of a list; none for anything else."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def at(data: Any, path: str) -> Any:
    """Return the value at a path; None if there is none."""
    return follow(data, path.split("."))


def follow(data: Any, names: Iterable[str]) -> Any:
    """Return the value to which names lead, one in the other; None if there is none."""
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
    """Tell whether a number names something, and is not written with commas."""
    return unit is not None and (unit.endswith(" id") or unit == "version")


def _unit(unit: str | None) -> str:
    if unit is None or _is_name(unit):
        return ""
    # so that nobody reads the unit `score 0-1000` as a part of the number
    return f"({unit})" if any(map(str.isdigit, unit)) else unit
