"""Decides by what a table's columns hold what each of them is, and reads its rows."""

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

_SHOWN = 60

_ORDER: tuple[Kind, ...] = (*ID_KINDS, "symbol")

_OF_NUMBERS = frozenset[Kind]({"HGNC id", "Entrez id"})
"""Kinds that are written as bare numbers, too."""

_NEARLY_ALL = 0.9
"""So much of a column that promises symbols, or nothing, is numbers if these are Entrez ids. A
number among symbols is an alias to HGNC, and most likely a mistake to its author."""


@dataclass(frozen=True, slots=True)
class Row:
    """A gene as the file names it: by identifiers, a symbol, or neither when it is empty.

    Args:
        line: counted from 1.
        hgnc_id: with its prefix.
        symbol: any name.
        entrez_id: digits.
        ensembl_gene_id: without a version.
        unread: what stands in columns of ids and is none: column and cell.
    """

    line: int
    hgnc_id: str | None = None
    symbol: str | None = None
    entrez_id: str | None = None
    ensembl_gene_id: str | None = None
    unread: tuple[tuple[str, str], ...] = ()

    @property
    def text(self) -> str:
        """What the file has, for people."""
        names = (self.hgnc_id, self.entrez_id, self.ensembl_gene_id, self.symbol)
        found = " ".join(part for part in names if part)
        found = found or " ".join(cell for _, cell in self.unread) or "nothing"
        return found if len(found) <= _SHOWN else found[:_SHOWN] + "…"


@dataclass(frozen=True, slots=True)
class ReadColumn:
    """What became of a column that may name genes.

    Attributes:
        column: its name.
        read_as: what its cells were taken for; None: it was not read.
        rows: rows in which it holds that.
        problems: rows in which it holds something else; an empty cell is no problem.
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

    A column is what most of its cells are, whatever its name promises: ``HGNC`` may hold symbols,
    ``gene`` the ids of Ensembl or NCBI. Of each kind one column is read: the one with the most
    names that HGNC has ever used for a gene, or with the most usual name. A cell that can only be
    one kind of identifier is read as that in any column.

    Args:
        table: as the file has it.
        is_symbol: whether HGNC knows a name.

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
    """Return what a cell of a column is; None for nothing, and for a number that is no id there."""
    if is_missing(cell):
        return None
    if found := identifier(cell):
        return found[0]
    if not is_number(cell):
        return "symbol"
    return of if of in _OF_NUMBERS and number(cell) is not None else None


def _kind(column: Column) -> Kind | None:
    """Return what most cells are, and in doubt what the name promises; None: nothing of these."""
    cells = [cell for cell in column.cells if not is_missing(cell)]
    seen = Counter(_held(cell, "symbol") for cell in cells)
    numbers = seen.pop(None, 0)
    if column.hint == "HGNC id":
        seen["HGNC id"] += numbers
    elif column.hint in {"Entrez id", "any id"} or numbers >= max(2, _NEARLY_ALL * len(cells)):
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
            # names of rows that nobody knows are no genes
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
            # a column of ids with a name in it
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
