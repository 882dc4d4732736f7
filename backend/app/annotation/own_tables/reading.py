"""Reads the file of an own table: a column of genes, and any others."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.annotation.genes.cells import clean
from app.annotation.genes.columns import ReadColumn, Row, read_rows
from app.annotation.genes.dialects import Record, records
from app.annotation.genes.files import split_header, table_of
from app.annotation.genes.text import read_lines
from app.annotation.own_tables.limits import (
    MAX_BYTES,
    MAX_CELL_CHARS,
    MAX_COLUMNS,
    MAX_NAME_CHARS,
    MAX_ROWS,
)
from app.annotation.own_tables.values import ColumnKind, Value, typed, value_of
from app.annotation.upstream.bulk_files.digest import sha256
from app.core.errors import WrongUse


@dataclass(frozen=True, slots=True)
class OwnFile:
    """A table as read from its file.

    Attributes:
        path: the path of the file.
        digest: the SHA-256 digest of the file.
        size: the size in bytes.
        columns: the names of the columns with their types.
        rows: the names of the gene and the values of each row, in the order of the columns.
        read: how each column that may name genes was read.
        other_sheets: the other sheets of a workbook, which are not read.
    """

    path: Path
    digest: str
    size: int
    columns: dict[str, ColumnKind]
    rows: list[tuple[Row, dict[str, Value]]]
    read: list[ReadColumn]
    other_sheets: list[str]


def read_own_file(path: Path, is_symbol: Callable[[str], bool]) -> OwnFile:
    """Read a TSV, CSV or XLSX file with a header.

    Text is read like a gene list. A cell with a missing value is None.

    Args:
        path: the path of the file.
        is_symbol: returns whether a gene has or had this name, in any case.

    Raises:
        WrongUse: the file cannot be read (the error names the line), it is too large, or no column
            names genes.
    """
    size, digest = _measured(path)
    others: list[str] = []
    if path.suffix.lower() in {".xlsx", ".xlsm"}:
        # imported here, because it imports openpyxl, which workers do not need at startup
        from app.annotation.own_tables.workbook import read_workbook

        found, others = read_workbook(path)
    else:
        found = records(path, read_lines(path))
    header, rows = split_header(found) if found else (None, [])
    if header is None or not rows:
        raise WrongUse(
            f"{path}: there are no rows below the header",
            allowed="the names of the columns in the first line, and one gene in each row",
        )
    places = _columns(path, header)
    _require_shape(path, header, rows)
    columns = {name: [_cell(cells, at) for _, cells in rows] for name, at in places.items()}
    kinds = dict(zip(columns, typed(list(columns.values())), strict=True))
    named, read = read_rows(table_of(path, header, rows), is_symbol)
    values = (
        {name: value_of(columns[name][at], kinds[name]) for name in columns}
        for at in range(len(rows))
    )
    return OwnFile(path, digest, size, kinds, list(zip(named, values, strict=True)), read, others)


def _measured(path: Path) -> tuple[int, str]:
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise WrongUse(
                f"{path}: {size:,} bytes",
                allowed=f"at most {MAX_BYTES:,} bytes",
                remedy="remove the columns and rows that are not needed, or split the table",
            )
        return size, sha256(path)
    except OSError as error:
        raise WrongUse(
            f"{path}: {error.strerror or error}", allowed="a TSV, CSV or XLSX file"
        ) from error


def _columns(path: Path, header: Sequence[str]) -> dict[str, int]:
    """Return the index of each column with a name. R's row names have none."""
    if len(header) > MAX_COLUMNS:
        raise WrongUse(f"{path}: {len(header):,} columns", allowed=f"at most {MAX_COLUMNS}")
    places: dict[str, int] = {}
    for at, name in enumerate(header):
        if name in places:
            raise WrongUse(
                f"{path}: two columns have the name {name[:MAX_NAME_CHARS]!r}",
                allowed="one column of each name",
                remedy="rename or remove one of them",
            )
        if len(name) > MAX_NAME_CHARS:
            raise WrongUse(
                f"{path}: the name of column {at + 1} has {len(name):,} characters",
                allowed=f"at most {MAX_NAME_CHARS} characters",
                remedy="name the columns in the first line",
            )
        if name:
            places[name] = at
    return places


def _require_shape(path: Path, header: Sequence[str], rows: Sequence[Record]) -> None:
    if len(rows) > MAX_ROWS:
        raise WrongUse(
            f"{path}: {len(rows):,} rows",
            allowed=f"at most {MAX_ROWS:,} rows",
            remedy="remove the rows that are not needed, or split the table",
        )
    for line, cells in rows:
        if any(cell.strip() for cell in cells[len(header) :]):
            raise WrongUse(
                f"{path}, line {line}: {len(cells)} cells, and {len(header)} columns have a name",
                allowed="a cell for each column",
                remedy="correct the line, or name all columns in the first line",
            )
        for cell in cells:
            if len(cell) > MAX_CELL_CHARS:
                raise WrongUse(
                    f"{path}, line {line}: a cell has {len(cell):,} characters",
                    allowed=f"at most {MAX_CELL_CHARS:,} characters in a cell",
                    remedy="shorten the cell",
                )


def _cell(cells: Sequence[str], at: int) -> str:
    return clean_value(cells[at]) if at < len(cells) else ""


def clean_value(cell: str) -> str:
    """Return a cell without surrounding blanks. A text formula is replaced by its text."""
    cleaned = clean(cell)
    # inner line breaks and blanks are kept, unless the cell was a formula
    return cleaned if cell.lstrip().startswith('="') else cell.strip()


def first_key(row: Row) -> Iterator[tuple[str, str]]:
    """Yield the name that identifies a row's gene: its best identifier, else its symbol."""
    for key in ("hgnc_id", "entrez_id", "ensembl_gene_id", "symbol"):
        value = getattr(row, key)
        if value is not None:
            yield key, value
            return
