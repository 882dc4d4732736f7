"""Reads what people keep gene lists in: TSV or CSV with a header, or a bare column."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from app.core.errors import UserError

LONGEST_LINE = 100_000
"""Bytes; a longer line is no row of a gene list."""

LONGEST_FILE = 100_000_000
"""Bytes."""

ID_COLUMNS = ("hgnc_id", "hgnc", "hgncid", "hgnc_gene_id", "hgnc_accession")
SYMBOL_COLUMNS = (
    "symbol", "gene", "genes", "gene_symbol", "approved_symbol", "hgnc_symbol", "genesymbol",
    "symbols", "gene_name",
)  # fmt: skip

_HGNC_ID = re.compile(r"(?:HGNC:)?\s*(\d{1,9})", re.IGNORECASE)
_WITH_PREFIX = re.compile(r"HGNC:\s*\d{1,9}", re.IGNORECASE)
_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Row:
    """A gene as the file names it: by its HGNC id, a symbol, both, or neither when it is empty."""

    line: int
    hgnc_id: str | None = None
    symbol: str | None = None

    @property
    def text(self) -> str:
        """What the file has, for people."""
        found = " ".join(part for part in (self.hgnc_id, self.symbol) if part) or "nothing"
        return found if len(found) <= _SHOWN else found[:_SHOWN] + "…"


def read_gene_file(path: Path) -> list[Row]:
    """Read a gene list, UTF-8 with or without a byte order mark.

    The columns are found by the names in the first line (:data:`ID_COLUMNS`,
    :data:`SYMBOL_COLUMNS`, in any case and with spaces), separated by tabs, commas or semicolons.
    A file of one column needs no header.

    Raises:
        UserError: naming the line, if it cannot be read; or there is no gene in it.
    """
    try:
        size = path.stat().st_size
        if size > LONGEST_FILE:
            raise UserError(f"{path}: {size:,} bytes", allowed=f"at most {LONGEST_FILE:,} bytes")
        with path.open("rb") as file:
            rows = list(_rows(path, _lines(path, file)))
    except OSError as error:
        raise UserError(
            f"{path}: {error.strerror or error}", allowed="a TSV or CSV file of genes, or `hgnc`"
        ) from error
    if not rows:
        raise UserError(f"{path}: there is no gene in it", allowed="a gene in each line")
    return rows


def _lines(path: Path, file: IO[bytes]) -> Iterator[tuple[int, str]]:
    """Give the lines that are not blank, decoded, with their numbers."""
    number = 0
    while line := file.readline(LONGEST_LINE + 1):
        number += 1
        if len(line) > LONGEST_LINE:
            raise UserError(
                f"{path}, line {number}: longer than {LONGEST_LINE:,} bytes",
                allowed="a gene in each line",
            )
        if b"\0" in line or line.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise UserError(
                f"{path}, line {number}: binary data",
                allowed="a text file in UTF-8",
                remedy="export the table as tab-separated text in UTF-8",
            )
        try:
            text = line.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
        except UnicodeDecodeError as error:
            raise UserError(
                f"{path}, line {number}: byte {line[error.start]:#04x} is no UTF-8",
                allowed="UTF-8",
                remedy=f"iconv -f LATIN1 -t UTF-8 {path.name} > utf8-{path.name}",
            ) from None
        if text.strip():
            yield number, text


def _rows(path: Path, lines: Iterator[tuple[int, str]]) -> Iterator[Row]:
    first = next(lines, None)
    if first is None:
        return
    delimiter = _delimiter(path, first[1])
    header = [_column_name(cell) for cell in _cells(path, *first, delimiter)]
    id_at = next((header.index(name) for name in ID_COLUMNS if name in header), None)
    symbol_at = next((header.index(name) for name in SYMBOL_COLUMNS if name in header), None)
    if id_at is None and symbol_at is None:
        if len(header) > 1:
            raise UserError(
                f"{path}: no column for genes among {', '.join(header[:10])}",
                allowed=f"{', '.join(ID_COLUMNS[:2])}; {', '.join(SYMBOL_COLUMNS[:6])}",
                remedy="name the column in the first line",
            )
        symbol_at = 0
        yield _row(first[0], None, _cells(path, *first, delimiter)[0])
    for number, line in lines:
        cells = _cells(path, number, line, delimiter)
        hgnc_id, symbol = (
            cells[at] if at is not None and at < len(cells) else None for at in (id_at, symbol_at)
        )
        yield _row(number, hgnc_id, symbol)


def _row(line: int, hgnc_id: str | None, symbol: str | None) -> Row:
    """Tell ids from symbols: a column called `hgnc` may hold either, and so may a bare one."""
    hgnc_id, symbol = (hgnc_id or "").strip(), (symbol or "").strip()
    if not hgnc_id and _WITH_PREFIX.fullmatch(symbol):
        hgnc_id, symbol = symbol, ""
    elif hgnc_id and not symbol and not _HGNC_ID.fullmatch(hgnc_id):
        hgnc_id, symbol = "", hgnc_id
    number = _HGNC_ID.fullmatch(hgnc_id)
    return Row(line, f"HGNC:{int(number[1])}" if number else hgnc_id or None, symbol or None)


def _delimiter(path: Path, header: str) -> str:
    for delimiter in ("\t", ",", ";"):
        if delimiter in header:
            return delimiter
    return "," if path.suffix.lower() == ".csv" else "\t"


def _cells(path: Path, number: int, line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise UserError(
            f"{path}, line {number}: {error}",
            allowed="quotes around a whole cell, closed in the same line",
        ) from None


def _column_name(cell: str) -> str:
    return re.sub(r"[\s_.-]+", "_", cell.strip().lstrip("#").strip().lower())
