"""Excel workbooks. Text always stays text, even if it looks like a formula, date or number."""

import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from app.annotation.data.export.describing import DICTIONARY, cells_of
from app.annotation.data.export.formats.delimited import utc
from app.annotation.data.export.formats.sheet import MAX_EXACT_INTEGER, fitting
from app.annotation.data.export.order import CellType, Column, Row, Table

_OPTIONS = {
    "constant_memory": True,
    "strings_to_numbers": False,
    "strings_to_formulas": False,
    "strings_to_urls": False,
}

_WIDTHS = (34, 9, 12, 90, 10, 24, 50, 20)
"""The widths of the dictionary's columns, in characters."""


class Workbook:
    """A workbook with the sheets ``genes``, ``columns`` (the data dictionary) and ``about``."""

    def __init__(self, table: Table, out: BinaryIO, folder: str) -> None:
        self._table = table
        self._out = out
        # some programs reject a streamed ZIP file, whose sizes follow the data
        self._file = Path(folder) / "workbook.xlsx"
        self._workbook = xlsxwriter.Workbook(str(self._file), _OPTIONS | {"tmpdir": folder})
        self._bold = self._workbook.add_format({"bold": True, "text_wrap": True, "valign": "top"})
        self._wrapped = self._workbook.add_format({"text_wrap": True, "valign": "top"})
        # the cell stays text if it is edited
        as_text = self._workbook.add_format({"num_format": "@"})
        self._sheet = self._workbook.add_worksheet("genes")
        self._sheet.freeze_panes(1, 2)
        self._next = 0
        columns = table.columns
        self._header(self._sheet, [column.name for column in columns])
        self._writers = [_writer(self._sheet, column, as_text) for column in columns]

    def write(self, rows: list[Row]) -> None:
        """Write some rows."""
        writers = self._writers
        for row in rows:
            number = self._next
            for place, value in enumerate(row):
                if value is not None:
                    writers[place](number, place, value)
            self._next = number + 1

    def close(self) -> None:
        """Write the other sheets and the file."""
        self._write_dictionary()
        self._write_about()
        self._workbook.close()
        with self._file.open("rb") as written:
            shutil.copyfileobj(written, self._out, 1024**2)

    def _header(self, sheet: Worksheet, names: Iterable[str]) -> None:
        for place, name in enumerate(names):
            sheet.write_string(0, place, name, self._bold)
        self._next = 1

    def _write_dictionary(self) -> None:
        sheet = self._workbook.add_worksheet("columns")
        for place, width in enumerate(_WIDTHS):
            sheet.set_column(place, place, width)
        sheet.freeze_panes(1, 1)
        self._header(sheet, [column.name for column in DICTIONARY])
        for number, column in enumerate(self._table.columns, 1):
            for place, cell in enumerate(cells_of(column)):
                if cell is not None:
                    sheet.write_string(number, place, fitting(str(cell)), self._wrapped)

    def _write_about(self) -> None:
        sheet = self._workbook.add_worksheet("about")
        sheet.set_column(0, 0, 40)
        sheet.set_column(1, 1, 120)
        lines = [*_flattened(msgspec.json.decode(self._table.manifest))]
        lines += [("citation", line) for line in self._table.citation.splitlines()]
        for number, (name, value) in enumerate(lines):
            sheet.write_string(number, 0, name)
            sheet.write_string(number, 1, fitting(value))


def _writer(sheet: Worksheet, column: Column, as_text: Any) -> Callable[[int, int, Any], object]:
    write_string = sheet.write_string
    if column.type == "text" and column.source is None:
        return lambda row, place, value: write_string(row, place, fitting(value), as_text)
    kinds: dict[CellType, Callable[[int, int, Any], object]] = {
        "text": lambda row, place, value: write_string(row, place, fitting(value)),
        "integer": lambda row, place, value: _integer(sheet, row, place, value),
        "number": sheet.write_number,
        "boolean": sheet.write_boolean,
        "time": lambda row, place, value: write_string(row, place, utc(value)),
        "json": lambda row, place, value: write_string(row, place, fitting(value.decode())),
    }
    return kinds[column.type]


def _integer(sheet: Worksheet, row: int, place: int, value: int) -> None:
    if abs(value) > MAX_EXACT_INTEGER:
        sheet.write_string(row, place, str(value))
    else:
        sheet.write_number(row, place, value)


def _flattened(value: Any, name: str = "") -> Iterable[tuple[str, str]]:
    match value:
        case dict():
            for key, inner in value.items():
                yield from _flattened(inner, f"{name}.{key}" if name else key)
        case list():
            for number, inner in enumerate(value, 1):
                yield from _flattened(inner, f"{name}.{number}")
        case None:
            pass
        case _:
            yield name, str(value)
