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
        name: the name in the file, for messages.
        hint: the kind of name that the column's name suggests.
        place: the rank of the name among the usual names of this kind; 0 is the most usual.
        cells: the cleaned cells, one for each row.
    """

    name: str
    hint: Hint
    place: int
    cells: Sequence[str]


@dataclass(frozen=True, slots=True)
class Table:
    """The part of a file that names genes.

    Args:
        path: the path of the file.
        header: the names of all columns; empty without a header.
        lines: the first line number of each row.
        columns: the columns that may name genes, in the order of the file.
    """

    path: Path
    header: Sequence[str]
    lines: Sequence[int]
    columns: Sequence[Column]


def read_gene_file(path: Path) -> Table:
    """Read a gene list as R, pandas, spreadsheets and BioMart write it.

    The file may be UTF-8 with or without a byte order mark, or UTF-16 with one. Its cells may be
    separated by tabs, commas, semicolons, or the blanks of R's ``write.table``. It may have R's row
    names, which have no header cell. Columns of genes are found by the names in the first line
    (:data:`~app.annotation.genes.headers.HINTS`). A file of one column needs no header.

    Raises:
        WrongUse: the file cannot be read (the error names the line), or names no gene.
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
        path: the path of the file, for errors.
        header: the names of all columns.
        rows: the rows below the header.

    Raises:
        WrongUse: no column names genes.
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
    """Tell whether each row begins with a unique name that has no header cell."""
    if not all(len(cells) == width + 1 for _, cells in rows):
        return False
    names = [cells[0].strip() for _, cells in rows]
    if "" in names or len(set(names)) < len(names):
        return False
    # a trailing delimiter in each line gives a blank last cell
    return any(cells[-1] for _, cells in rows) or names == [str(at + 1) for at in range(len(names))]


def _columns(path: Path, header: list[str], rows: list[Record]) -> list[Column]:
    names = [column_name(cell) for cell in header]
    found = []
    for at, name in enumerate(names):
        # a first column without a name holds row names; any other comes from a stray delimiter
        if name not in HINTS or (not name and (at or header[at])):
            continue
        if names.count(name) > 1 and name:
            raise WrongUse(
                f"{path}: {names.count(name)} columns have the name {name}",
                allowed="one column of each name",
                remedy="rename or remove all but one of them",
            )
        cells = [clean(cells[at]) if at < len(cells) else "" for _, cells in rows]
        found.append(Column(header[at] or "the row names", *HINTS[name], cells))
    if not found:
        raise no_column(path, header)
    return found


def no_column(path: Path, header: Sequence[str]) -> WrongUse:
    """Return the error for a table without a column that names genes."""
    shown = ", ".join(cell or "(no name)" for cell in header[:10])
    return WrongUse(
        f"{path}: no column for genes among {shown}",
        allowed=allowed(),
        remedy="name the column in the first line",
    )


def _nothing_in(path: Path) -> WrongUse:
    return WrongUse(f"{path}: the file names no gene", allowed="one gene in each line")
