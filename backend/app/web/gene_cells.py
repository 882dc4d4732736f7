"""Formats the answers about genes for the cells of a table."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import msgspec

from app.annotation.data.fields import Field
from app.annotation.data.shapes import Answer, Gene
from app.core.text.words import shortened
from app.web.cards.values import NONE, Value, follow, write
from app.web.gene_columns import Column, Columns

MAX_CHARS = 80
"""Maximum length of a cell in characters."""

LINE_CHARS = 28
"""The length in characters up to which a cell has one line."""

MAX_ENTRIES = 3
"""Maximum number of a list's entries in a cell."""

_NAMES = ("name", "symbol", "disease", "protein_name")
"""The fields with a name for people, of an entry that also has an identifier."""


@dataclass(frozen=True, slots=True)
class Cell:
    """The value of a field in a cell.

    Attributes:
        value: the formatted value.
        whole: the complete text, if it does not fit into the cell; else empty.
        is_number: whether the value is right-aligned.
    """

    value: Value
    whole: str = ""
    is_number: bool = False

    @property
    def is_long(self) -> bool:
        """Whether the value takes several lines."""
        return len(self.value.text) > LINE_CHARS


@dataclass(frozen=True, slots=True)
class AnswerCells:
    """The answer of a source in a row.

    Attributes:
        state: the state of the answer, or the state for a missing answer.
        why: the reason that the answer or the last check is unknown; else empty.
        cells: the cells of a found answer.
    """

    state: str
    why: str
    cells: Sequence[Cell]


@dataclass(frozen=True, slots=True)
class Row:
    """A gene with the answers of the sources, in the order of the columns."""

    gene: Gene
    answers: Sequence[AnswerCells]


def row(gene: Gene, columns: Sequence[Columns]) -> Row:
    """Return the row of a gene."""
    return Row(
        gene, [_answer_cells(gene.annotations.get(each.source), each.columns) for each in columns]
    )


def _answer_cells(answer: Answer | None, columns: Sequence[Column]) -> AnswerCells:
    if answer is None:
        return AnswerCells("not asked", "", ())
    why = answer.reason or "no reason was noted" if _is_unknown(answer) else ""
    if answer.state != "found" or answer.data is None:
        return AnswerCells(answer.state, why, ())
    data = msgspec.json.decode(answer.data)
    return AnswerCells(
        answer.state, why, [cell(each.field, follow(data, each.field.path)) for each in columns]
    )


def _is_unknown(answer: Answer) -> bool:
    return "unknown" in {answer.state, answer.checked_state}


def cell(field: Field, value: Any) -> Cell:
    """Format a value of any type: older answers may have another type than the field declares."""
    match value:
        case None:
            return Cell(NONE)
        case list() | dict() if not value:
            return Cell(Value("none", is_none=True))
        case list():
            return _entries(len(value), [_entry(field, each) for each in value[:MAX_ENTRIES]])
        case dict():
            pairs = islice(value.items(), MAX_ENTRIES)
            return _entries(len(value), [_pair(key, each) for key, each in pairs])
        case _:
            written = write(value, field.path[-1], field.unit)
            # the header of the column has the unit
            text = shortened(written.text, MAX_CHARS)
            is_cut = written.rest or text != written.text
            return Cell(
                Value(text, href=written.href, gene=written.gene),
                written.text + written.rest if is_cut else "",
                type(value) in {int, float},
            )


def _entries(number: int, first: Sequence[str]) -> Cell:
    whole = _listed(number, first)
    fitting = range(len(first), 1, -1)
    shown = next((n for n in fitting if len(_listed(number, first[:n])) <= MAX_CHARS), 1)
    short = shortened(_listed(number, first[:shown]), MAX_CHARS)
    return Cell(Value(short), whole if short != whole else "")


def _listed(number: int, first: Sequence[str]) -> str:
    count = f"{number:,}: " if number > 1 else ""
    more = f" and {number - len(first):,} more" if number > len(first) else ""
    return f"{count}{'; '.join(first)}{more}"


def _entry(field: Field, value: Any) -> str:
    if not isinstance(value, dict):
        return write(value, field.path[-1], field.unit).text
    names = (*_NAMES, field.path[-1].removesuffix("s"), *field.identity)
    known = next((value[name] for name in names if isinstance(value.get(name), str)), None)
    if known is not None:
        return str(known)
    return ", ".join(
        f"{name} {write(each).text}" for name, each in value.items() if each is not None
    )


def _pair(key: str, value: Any) -> str:
    # show the name of an identifier, if it has one
    return value if isinstance(value, str) else f"{key} {write(value).text}"
