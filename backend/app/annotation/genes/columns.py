"""Detects what each column of a table holds, mostly from its cells, and reads the rows."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from app.annotation.genes.cells import (
    IdKind,
    Kind,
    identifier,
    is_missing,
    is_number,
    number,
)
from app.annotation.genes.files import Column, Table, no_column
from app.annotation.genes.headers import ID_KINDS

_MAX_SHOWN_CHARS = 60

_ORDER: tuple[Kind, ...] = (*ID_KINDS, "symbol")

_NUMERIC_KINDS = frozenset[Kind]({"HGNC id", "Entrez id"})
"""Kinds that may be written as bare numbers."""

_MIN_NUMBER_SHARE = 0.9
"""A column named for symbols, or without a name, is read as Entrez ids if at least this share of
its cells are numbers. A single number among symbols is an alias in HGNC or a mistake."""


@dataclass(frozen=True, slots=True)
class Row:
    """The names of a gene in one row of a file: identifiers and a symbol. An empty row has none.

    Args:
        line: the line number, counted from 1.
        hgnc_id: the HGNC id with its prefix.
        symbol: a symbol or any other name.
        entrez_id: the Entrez id, only digits.
        ensembl_gene_id: the Ensembl id without its version.
        unread: the cells of id columns that hold no id, each with the column's name.
    """

    line: int
    hgnc_id: str | None = None
    symbol: str | None = None
    entrez_id: str | None = None
    ensembl_gene_id: str | None = None
    unread: tuple[tuple[str, str], ...] = ()

    @property
    def text(self) -> str:
        """The row as it is shown to people."""
        names = (self.hgnc_id, self.entrez_id, self.ensembl_gene_id, self.symbol)
        found = " ".join(part for part in names if part)
        found = found or " ".join(cell for _, cell in self.unread) or "nothing"
        return found if len(found) <= _MAX_SHOWN_CHARS else found[:_MAX_SHOWN_CHARS] + "…"


@dataclass(frozen=True, slots=True)
class ReadColumn:
    """How a column that may name genes was read.

    Attributes:
        column: the name of the column.
        read_as: the kind of name that its cells were read as; None if the column was not read.
        rows: the number of rows with a name of this kind.
        problems: the number of rows with another content. Empty cells do not count.
    """

    column: str
    read_as: Literal["HGNC ids", "Entrez ids", "Ensembl ids", "symbols"] | None
    rows: int = 0
    problems: int = 0


_PLURAL: dict[Kind, Literal["HGNC ids", "Entrez ids", "Ensembl ids", "symbols"]] = {
    "HGNC id": "HGNC ids",
    "Entrez id": "Entrez ids",
    "Ensembl id": "Ensembl ids",
    "symbol": "symbols",
}


def read_rows(table: Table, is_symbol: Callable[[str], bool]) -> tuple[list[Row], list[ReadColumn]]:
    """Read the genes of a table.

    The majority of the cells decides what a column holds, because names mislead: ``HGNC`` may hold
    symbols, and ``gene`` may hold Ensembl or NCBI ids. One column of each kind is read: the one
    with the most names known to HGNC and, on a tie, the one with the most usual column name. An
    unambiguous identifier is read as such in any column.

    Args:
        table: the table of the file.
        is_symbol: returns whether HGNC knows a name.

    Raises:
        WrongUse: no column names genes.
    """
    kinds = [_kind(column) for column in table.columns]
    read = _choose(table.columns, kinds, is_symbol)
    if not read:
        raise no_column(table.path, table.header)
    told = []
    for column in table.columns:
        kind = next((kind for kind, chosen in read.items() if chosen is column), None)
        if kind is not None:
            held = [_held(cell, kind) for cell in column.cells if not is_missing(cell)]
            good = held.count(kind)
            told.append(ReadColumn(column.name, _PLURAL[kind], good, len(held) - good))
        elif column.hint != "unnamed":
            told.append(ReadColumn(column.name, None))
    return list(_rows(table, read)), told


def _held(cell: str, of: Kind) -> Kind | None:
    """Return the kind of a cell; None if it is empty or a number that is no id here."""
    if is_missing(cell):
        return None
    if found := identifier(cell):
        return found[0]
    if not is_number(cell):
        return "symbol"
    return of if of in _NUMERIC_KINDS and number(cell) is not None else None


def _kind(column: Column) -> Kind | None:
    """Return the kind of most cells, else the kind that the column's name suggests."""
    cells = [cell for cell in column.cells if not is_missing(cell)]
    seen = Counter(_held(cell, "symbol") for cell in cells)
    numbers = seen.pop(None, 0)
    if column.hint == "HGNC id":
        seen["HGNC id"] += numbers
    elif column.hint in {"Entrez id", "any id"} or numbers >= max(
        2, _MIN_NUMBER_SHARE * len(cells)
    ):
        seen["Entrez id"] += numbers
    if column.hint == "unnamed" and numbers >= seen.total() - numbers:
        return None
    return max(_ORDER, key=lambda kind: (seen[kind], kind == column.hint))


def _choose(
    columns: Sequence[Column], kinds: Sequence[Kind | None], is_symbol: Callable[[str], bool]
) -> dict[Kind, Column]:
    """Choose one column of each kind."""
    read: dict[Kind, Column] = {}
    for kind in _ORDER:
        worth = {
            _worth(column, kind, is_symbol): column
            for column, each in zip(columns, kinds, strict=True)
            if each == kind
        }
        if worth:
            most = max(worth)
            # row names are read as genes only if HGNC knows some of them
            if most[0] or worth[most].hint != "unnamed":
                read[kind] = worth[most]
    return read


def _worth(
    column: Column, kind: Kind, is_symbol: Callable[[str], bool]
) -> tuple[int, bool, bool, int]:
    held = [cell for cell in column.cells if _held(cell, kind) == kind]
    count = sum(map(is_symbol, held)) if kind == "symbol" else len(held)
    return count, column.hint == kind, column.hint != "unnamed", -column.place


def _rows(table: Table, read: Mapping[Kind, Column]) -> Iterator[Row]:
    for at, line in enumerate(table.lines):
        ids: dict[IdKind, str] = {}
        symbol: str | None = None
        unread: list[tuple[str, str]] = []
        for kind, column in read.items():
            cell = column.cells[at]
            if is_missing(cell):
                unread += [(column.name, cell)] if cell else []
            elif found := identifier(cell):
                ids.setdefault(*found)
            elif kind == "HGNC id" and (digits := number(cell)) is not None:
                ids[kind] = f"HGNC:{digits}"
            elif kind == "Entrez id" and (digits := number(cell)) is not None:
                ids[kind] = str(digits)
            elif kind == "symbol":
                symbol = cell
            else:
                unread.append((column.name, cell))
        if not ids and symbol is None:
            # a column of ids may hold a symbol
            named = next((each for each in unread if not is_missing(each[1])), None)
            if named is not None:
                symbol = named[1]
                unread.remove(named)
        yield Row(
            line,
            ids.get("HGNC id"),
            symbol,
            ids.get("Entrez id"),
            ids.get("Ensembl id"),
            tuple(unread),
        )
