"""Detects whether a column holds numbers or text."""

import re
from collections.abc import Iterable, Sequence
from typing import Literal

from app.annotation.genes.cells import is_missing

ColumnKind = Literal["number", "text"]

Value = str | int | float | None

# a number with a leading zero or a plus sign is probably a code, so it stays text
_WHOLE = re.compile(r"-?(?:0|[1-9][0-9]{0,14})", re.ASCII)
_NUMBER = re.compile(
    r"-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,17})?(?:[eE][+-]?[0-9]{1,2})?", re.ASCII
)


def kind_of(cells: Iterable[str]) -> ColumnKind:
    """Return the type of a column: numbers if all cells with a value are numbers."""
    seen = False
    for cell in cells:
        if is_missing(cell):
            continue
        if not _NUMBER.fullmatch(cell):
            return "text"
        seen = True
    return "number" if seen else "text"


def value_of(cell: str, kind: ColumnKind) -> Value:
    """Return the value of a cell; None if it is missing."""
    if is_missing(cell):
        return None
    if kind == "text":
        return cell
    return int(cell) if _WHOLE.fullmatch(cell) else float(cell)


def typed(columns: Sequence[Sequence[str]]) -> list[ColumnKind]:
    """Return the type of each column."""
    return [kind_of(column) for column in columns]
