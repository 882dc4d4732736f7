"""Reads the first sheet of an untrusted XLSX workbook as rows of text."""

import zipfile
from collections.abc import Iterator
from contextlib import closing
from datetime import date, datetime, time
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

import openpyxl

from app.annotation.genes.dialects import Record
from app.annotation.own_tables.limits import MAX_COLUMNS, MAX_ROWS
from app.core.errors import WrongUse

MAX_UNPACKED = 300_000_000
"""Maximum size of all decompressed parts of a workbook, in bytes."""

_MAX_PARTS = 2_000
_MAX_BLANK_ROWS = 1_048_576  # Excel's own limit of rows

_UNREADABLE = (zipfile.BadZipFile, ParseError, KeyError, ValueError, TypeError, OSError, EOFError)
"""The exceptions of openpyxl and the standard library for a file that is not a valid workbook."""


def read_workbook(path: Path) -> tuple[list[Record], list[str]]:
    """Return the nonblank rows of the first sheet, and the names of the other sheets.

    A formula is replaced by the value that the spreadsheet program stored with it.

    Raises:
        WrongUse: the file is not a workbook, is too large, or has a formula without a value.
    """
    try:
        _refuse_bombs(path)
        # both are read, because a formula without a stored value would look like an empty cell
        with closing(_opened(path, values=True)) as book, closing(_opened(path)) as formulas:
            first, *others = book.worksheets or [None]
            if first is None:
                raise _no_workbook(path, "it has no sheet")
            rows = _rows(path, first)
            written = _rows(path, formulas.worksheets[0])
            found = list(_with_values(path, rows, written))
            return found, [sheet.title for sheet in others]
    except _UNREADABLE as error:
        raise _no_workbook(path, f"{type(error).__name__}: {error}") from error


def _opened(path: Path, *, values: bool = False) -> Any:
    return openpyxl.load_workbook(path, read_only=True, data_only=values, keep_links=False)


def _refuse_bombs(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        parts = archive.infolist()
    unpacked = sum(part.file_size for part in parts)
    if len(parts) > _MAX_PARTS or unpacked > MAX_UNPACKED:
        raise WrongUse(
            f"{path}: {len(parts):,} parts, {unpacked:,} bytes decompressed",
            allowed=f"at most {_MAX_PARTS:,} parts and {MAX_UNPACKED:,} bytes",
            remedy="export the sheet as a CSV file, and add that",
        )


def _rows(path: Path, sheet: Any) -> Iterator[tuple[int, tuple[Any, ...]]]:
    sheet.reset_dimensions()  # the dimensions stated in the file are untrusted
    filled = 0
    for number, cells in enumerate(sheet.iter_rows(values_only=True), 1):
        width = max((at for at, cell in enumerate(cells, 1) if cell is not None), default=0)
        filled += width > 0
        if width > MAX_COLUMNS or filled > MAX_ROWS + 1 or number > _MAX_BLANK_ROWS:
            raise WrongUse(
                f"{path}, row {number}: {width:,} cells, after {filled:,} rows",
                allowed=f"at most {MAX_COLUMNS} columns and {MAX_ROWS:,} rows",
                remedy="remove the columns and rows that are not needed, or split the table",
            )
        yield number, cells[:width]


def _with_values(
    path: Path,
    values: Iterator[tuple[int, tuple[Any, ...]]],
    written: Iterator[tuple[int, tuple[Any, ...]]],
) -> Iterator[Record]:
    for (number, cells), (_, sources) in zip(values, written, strict=False):
        for at, source in enumerate(sources):
            computed = cells[at] if at < len(cells) else None
            if computed is None and isinstance(source, str) and source.startswith("="):
                raise WrongUse(
                    f"{path}, row {number}: the formula {source[:40]} has no value",
                    allowed="values, and formulas whose value the spreadsheet program has stored",
                    remedy="save the file in a spreadsheet program, or export the sheet as CSV",
                )
        if cells:
            yield number, [_text(cell) for cell in cells]


def _text(cell: Any) -> str:
    """Return a cell as a person sees it: dates without time, integers without a point."""
    match cell:
        case None:
            return ""
        case bool():
            return str(cell).upper()
        case float() if cell.is_integer():
            return f"{cell:.0f}"
        case datetime() if cell.time() == time():
            return cell.date().isoformat()
        case datetime() | date() | time():
            return cell.isoformat(" ") if isinstance(cell, datetime) else cell.isoformat()
        case _:
            return str(cell)


def _no_workbook(path: Path, why: str) -> WrongUse:
    return WrongUse(
        f"{path} cannot be read as an XLSX workbook: {why[:200]}",
        allowed="a workbook as Excel and LibreOffice save it, without a password",
        remedy="save it again as .xlsx, or export the sheet as a CSV file",
    )
