"""Reads files of gene lists: TSV or CSV with a header, or one column without a header."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app.annotation.genes.cells import clean
from app.annotation.genes.dialects import Record, records
from app.annotation.genes.headers import HINTS, Hint, allowed, column_name, known
from app.annotation.genes.text import read_lines
from app.core.errors import WrongUse


@dataclass(frozen=True, slots=True)
class Column:
    """A column that may name genes.

    Args:
        name: as the file has it, for people.
        hint: what the name promises.
        place: the position of the name among those that promise the same, the most usual first.
        cells: one for each row, cleaned.
    """

    name: str
    hint: Hint
    place: int
    cells: Sequence[str]


@dataclass(frozen=True, slots=True)
class Table:
    """The part of a file that names genes.

    Args:
        path: of the file.
        header: the names of all its columns; empty if it has no header.
        lines: the number of each row's first line.
        columns: those that may name genes, in the order of the file.
    """

    path: Path
    header: Sequence[str]
    lines: Sequence[int]
    columns: Sequence[Column]


def read_gene_file(path: Path) -> Table:
    """Read a gene list as R, pandas, spreadsheets and BioMart write it.

    The file may be UTF-8 with or without a byte order mark, or UTF-16 with one. Its cells may be
    separated by tabs, commas, semicolons, or the blanks of R's ``write.table``. It may have R's row
    names, which have no name in the header. Columns of genes are found by the names in the first
    line (:data:`~app.annotation.genes.headers.HINTS`). A file of one column needs no header.

    Raises:
        WrongUse: the file cannot be read (the error names the line), or has no gene.
    """
    rows = records(path, read_lines(path))
    if not rows:
        raise _nothing_in(path)
    header, rows = split_header(rows)
    if header is not None:
        table = table_of(path, header, rows)
    else:
        only = Column("the only column", "symbol", 0, [clean(cells[0]) for _, cells in rows])
        table = Table(path, (), [line for line, _ in rows], [only])
    if not rows:
        raise _nothing_in(path)
    return table


def table_of(path: Path, header: list[str], rows: list[Record]) -> Table:
    """Return the part of a table that names genes.

    Args:
        path: of its file, for errors.
        header: the names of all columns.
        rows: below it.

    Raises:
        WrongUse: no column may name genes.
    """
    return Table(path, header, [line for line, _ in rows], _columns(path, header, rows))


def split_header(rows: list[Record]) -> tuple[list[str] | None, list[Record]]:
    """Separate the header, if there is one, from the rows. R's row names get a blank name."""
    header = [clean(cell) for cell in rows[0][1]]
    if len(header) == 1 and not known(header):
        return None, rows
    rows = rows[1:]
    if _has_row_names(len(header), rows):
        header.insert(0, "")
    return header, rows


def _has_row_names(width: int, rows: Sequence[Record]) -> bool:
    """Tell whether each row begins with a unique name, for which the header has no cell."""
    if not all(len(cells) == width + 1 for _, cells in rows):
        return False
    names = [cells[0].strip() for _, cells in rows]
    if "" in names or len(set(names)) < len(names):
        return False
    # a delimiter at the end of each line gives a blank cell after it
    return any(cells[-1] for _, cells in rows) or names == [str(at + 1) for at in range(len(names))]


def _columns(path: Path, header: list[str], rows: list[Record]) -> list[Column]:
    names = [column_name(cell) for cell in header]
    found = []
    for at, name in enumerate(names):
        # a nameless first column holds row names; any other one comes from a stray delimiter
        if name not in HINTS or (not name and (at or header[at])):
            continue
        if names.count(name) > 1 and name:
            raise WrongUse(
                f"{path}: {names.count(name)} columns are called {name}",
                allowed="one column of each name",
                remedy="rename or remove the columns that are not meant",
            )
        cells = [clean(cells[at]) if at < len(cells) else "" for _, cells in rows]
        found.append(Column(header[at] or "the row names", *HINTS[name], cells))
    if not found:
        raise no_column(path, header)
    return found


def no_column(path: Path, header: Sequence[str]) -> WrongUse:
    """Return what to raise for a table without a column that names genes."""
    shown = ", ".join(cell or "(no name)" for cell in header[:10])
    return WrongUse(
        f"{path}: no column for genes among {shown}",
        allowed=allowed(),
        remedy="name the column in the first line",
    )


def _nothing_in(path: Path) -> WrongUse:
    return WrongUse(f"{path}: there is no gene in it", allowed="a gene in each line")
