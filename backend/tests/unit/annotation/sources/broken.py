"""Damages small tables with several rows for a gene or with quoted fields.

For other files, :mod:`.damage` also judges the answers.
"""

import csv
import gzip
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from app.annotation.sources.answers import Gene
from app.annotation.upstream.bulk_files.messages import Reading
from tests.unit.annotation.sources.damage import UNUSABLE


def asked(genes: Sequence[Gene], **options: Any) -> dict[str, Any]:
    """Return the request for a reader."""
    return {"genes": genes, "options": options}


def answers(reading: Reading) -> list[Any]:
    """Return the answers of a reading, in the order of the genes."""
    return [each for part in reading.parts for each in part]


def written(folder: Path, name: str, content: str | bytes) -> Path:
    """Write a file. Text for a name that ends in `gz` is compressed."""
    path = folder / name
    if isinstance(content, str):
        content = gzip.compress(content.encode()) if name.endswith("gz") else content.encode()
    path.write_bytes(content)
    return path


class Table:
    """A table with a header, as text.

    Args:
        text: the text of the table, including lines before the header.
        header: the number of lines before the header.
        separator: between two fields.
        quoted: whether all fields are in double quotes.
    """

    def __init__(
        self, text: str, *, header: int = 0, separator: str = "\t", quoted: bool = False
    ) -> None:
        self._quoting = csv.QUOTE_ALL if quoted else csv.QUOTE_NONE
        self._separator = separator
        lines = text.splitlines(keepends=True)
        self._before = "".join(lines[:header])
        rows = csv.reader(
            lines[header:], delimiter=separator, quoting=csv.QUOTE_ALL if quoted else csv.QUOTE_NONE
        )
        self._rows = [list(row) for row in rows]

    def without(self, column: str) -> str:
        """Return the table without a column."""
        at = self._place(column)
        return self._text([*row[:at], *row[at + 1 :]] for row in self._rows)

    def with_value(self, column: str, value: str, row: int = -1) -> str:
        """Return the table with another value in a column of a row, by default the last row."""
        changed = [list(each) for each in self._rows]
        changed[row][self._place(column)] = value
        return self._text(changed)

    def _place(self, column: str) -> int:
        return [name.removeprefix("#") for name in self._rows[0]].index(column)

    def _text(self, rows: Iterable[Sequence[str]]) -> str:
        sink = io.StringIO()
        csv.writer(
            sink,
            delimiter=self._separator,
            quoting=self._quoting,  # type: ignore[arg-type]
            quotechar='"' if self._quoting == csv.QUOTE_ALL else None,
            lineterminator="\n",
        ).writerows(rows)
        return self._before + sink.getvalue()


def readable_cuts(
    content: bytes, read: Callable[[bytes], Reading]
) -> Iterator[tuple[bytes, Reading]]:
    """Truncate a file at many places. Yield the truncated files that a reader accepts.

    The file is truncated at each byte of its last line, and before and after each separator.
    """
    last = content.rstrip(b"\n").rfind(b"\n") + 1
    around = {at + by for at, byte in enumerate(content) if byte in b'\t,"\n ' for by in (0, 1)}
    for at in sorted((around | set(range(last, len(content)))) - {len(content)}):
        try:
            found = read(content[:at])
            parts = [list(part) for part in found.parts]
        except UNUSABLE:
            continue
        yield content[:at], found._replace(parts=parts)


def refused(read: Callable[[], Reading], match: str) -> None:
    """Check that a file is unusable for a reason."""
    with pytest.raises(UNUSABLE, match=match):
        answers(read())
