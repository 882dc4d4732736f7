r"""TSV and CSV, whose text cells are safe from being read as formulas by a spreadsheet.

Both have a header and are encoded in UTF-8. A cell without a value is empty. Times are in UTC
(``2026-03-31T18:00:00Z``), and booleans are ``true`` and ``false``.

A text cell that begins with ``=``, ``+``, ``-``, ``@``, a tab, a line break or ``'`` is prefixed
with ``'``. So is an empty text, to tell it from a cell without a value. To restore the text, remove
one leading ``'`` from each text cell that has one. Cells of numbers and JSON are never prefixed.

TSV has no quotation marks: each line is a row, and each tab separates two cells. In text cells, a
backslash, a tab, a line feed and a carriage return are written as ``\\``, ``\t``, ``\n`` and
``\r``. JSON is not escaped, because it contains no tab and no line break. A text that begins with a
double quote is prefixed with ``'`` as well, for programs that interpret quotation marks. Quotes and
line ends in CSV follow RFC 4180.
"""

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, BinaryIO

from app.annotation.data.export.order import CellType, Row, Table

FORMULA = "=+-@\t\r\n"
"""A spreadsheet may read a cell that begins with one of these characters as a formula."""

_SPECIAL = re.compile(r"[\\\t\n\r]")
_ESCAPES = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}


def protected(text: str, starts: str = f"{FORMULA}'") -> str:
    """Prefix a text with ``'`` if it is empty or begins with one of the given characters."""
    return f"'{text}" if not text or text[0] in starts else text


def utc(at: datetime) -> str:
    """Return a time in ISO 8601 format, in UTC."""
    return f"{at.astimezone(UTC).replace(tzinfo=None).isoformat()}Z"


def _tsv_text(text: str) -> str:
    text = protected(text, f"{FORMULA}'\"")
    return _SPECIAL.sub(lambda found: _ESCAPES[found[0]], text) if _SPECIAL.search(text) else text


def _boolean(value: bool) -> str:  # noqa: FBT001
    return "true" if value else "false"


_COMMON: dict[CellType, Callable[[Any], str]] = {
    "integer": str,
    "number": repr,
    "boolean": _boolean,
    "time": utc,
    "json": bytes.decode,
}


class _Delimited:
    text: Callable[[str], str]

    def __init__(self, table: Table, out: BinaryIO, folder: str) -> None:
        del folder
        self._out = out
        written = {**_COMMON, "text": type(self).text}
        self._written = [written[column.type] for column in table.columns]
        self._put([[column.name for column in table.columns]])

    def write(self, rows: list[Row]) -> None:
        """Write some rows."""
        columns = zip(zip(*rows, strict=True), self._written, strict=True)
        cells = [
            ["" if value is None else written(value) for value in column]
            for column, written in columns
        ]
        self._put(zip(*cells, strict=True))

    def close(self) -> None:
        """Do nothing: all rows are written."""

    def _put(self, rows: Iterable[Iterable[str]]) -> None:
        self._out.write("".join(self._lines(rows)).encode())

    def _lines(self, rows: Iterable[Iterable[str]]) -> Iterator[str]:
        raise NotImplementedError


class Tsv(_Delimited):
    """Tab-separated values."""

    text = staticmethod(_tsv_text)

    def _lines(self, rows: Iterable[Iterable[str]]) -> Iterator[str]:
        return ("\t".join(row) + "\n" for row in rows)


class Csv(_Delimited):
    """Comma-separated values."""

    text = staticmethod(protected)

    def _lines(self, rows: Iterable[Iterable[str]]) -> Iterator[str]:
        lines = io.StringIO(newline="")
        csv.writer(lines).writerows(rows)
        yield lines.getvalue()
