"""Reads what people keep gene lists in: TSV or CSV with a header, or a bare column."""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from app.core.errors import WrongUse

LONGEST_LINE = 100_000
"""Characters; a longer line is no row of a gene list."""

LONGEST_FILE = 100_000_000
"""Bytes."""

ID_COLUMNS = ("hgnc_id", "hgnc", "hgncid", "hgnc_gene_id", "hgnc_accession")
SYMBOL_COLUMNS = (
    "symbol", "gene", "genes", "gene_symbol", "approved_symbol", "hgnc_symbol", "genesymbol",
    "symbols", "gene_name",
)  # fmt: skip

_HGNC_ID = re.compile(r"(?:HGNC:)?\s*(\d{1,9})", re.IGNORECASE)
_WITH_PREFIX = re.compile(r"HGNC:\s*\d{1,9}", re.IGNORECASE)
_NO_UTF_8 = re.compile("[\udc80-\udcff]")
_UTF_16 = ("\udcff\udcfe", "\udcfe\udcff")
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
    """Read a gene list, UTF-8 with or without a byte order mark, its lines ended in any way.

    The columns are found by the names in the first line (:data:`ID_COLUMNS`,
    :data:`SYMBOL_COLUMNS`, in any case and with spaces), separated by tabs, commas or semicolons.
    A file of one column needs no header.

    Raises:
        WrongUse: naming the line, if it cannot be read; or there is no gene in it.
    """
    try:
        size = path.stat().st_size
        if size > LONGEST_FILE:
            raise WrongUse(f"{path}: {size:,} bytes", allowed=f"at most {LONGEST_FILE:,} bytes")
        # what is no UTF-8 is kept apart as lone surrogates, to be named by its line
        with path.open(encoding="utf-8-sig", errors="surrogateescape") as file:
            rows = list(_rows(path, _lines(path, file)))
    except OSError as error:
        raise WrongUse(
            f"{path}: {error.strerror or error}", allowed="a TSV or CSV file of genes, or `hgnc`"
        ) from error
    if not rows:
        raise WrongUse(f"{path}: there is no gene in it", allowed="a gene in each line")
    return rows


def _lines(path: Path, file: IO[str]) -> Iterator[tuple[int, str]]:
    """Give the lines that are not blank with their numbers."""
    number = 0
    while line := file.readline(LONGEST_LINE + 1):
        number += 1
        if "\0" in line or line.startswith(_UTF_16):
            raise WrongUse(
                f"{path}, line {number}: binary data",
                allowed="a text file in UTF-8",
                remedy="export the table as tab-separated text in UTF-8",
            )
        if len(line) > LONGEST_LINE:
            raise WrongUse(
                f"{path}, line {number}: longer than {LONGEST_LINE:,} characters",
                allowed="a gene in each line",
                remedy="break the line up, or export the table again as tab-separated text",
            )
        if (wrong := _NO_UTF_8.search(line)) is not None:
            raise WrongUse(
                f"{path}, line {number}: byte {ord(wrong[0]) - 0xDC00:#04x} is no UTF-8",
                allowed="UTF-8",
                remedy=f"iconv -f LATIN1 -t UTF-8 {path.name} > utf8-{path.name}",
            )
        if line.strip():
            yield number, line.rstrip("\n")


def _rows(path: Path, lines: Iterator[tuple[int, str]]) -> Iterator[Row]:
    first = next(lines, None)
    if first is None:
        return
    delimiter = _delimiter(path, first[1])
    header = [_column_name(cell) for cell in _cells(path, *first, delimiter)]
    id_at, symbol_at = (_column(path, header, names) for names in (ID_COLUMNS, SYMBOL_COLUMNS))
    if id_at is None and symbol_at is None:
        if len(header) > 1:
            raise WrongUse(
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


def _column(path: Path, header: Sequence[str], names: Sequence[str]) -> int | None:
    name = next((name for name in names if name in header), None)
    if name is None:
        return None
    if header.count(name) > 1:
        raise WrongUse(
            f"{path}: {header.count(name)} columns are called {name}",
            allowed="one of each name",
            remedy="rename or remove those that are not meant",
        )
    return header.index(name)


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
        # the csv module has no other way to tell them apart (CPython's Modules/_csv.c)
        unclosed = "unexpected end" in str(error)
        wrong = "a quote is not closed" if unclosed else "there is text behind a closing quote"
        raise WrongUse(
            f"{path}, line {number}: {wrong}",
            allowed="quotes around a whole cell, closed in the same line",
            remedy="correct the line, or export the table again as tab-separated text",
        ) from None


def _column_name(cell: str) -> str:
    return re.sub(r"[\s_.-]+", "_", cell.strip().lstrip("#").strip().lower())
