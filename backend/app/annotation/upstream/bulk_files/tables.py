"""Reads tables with a header: TSV, or another separator. Columns are found by their names."""

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from app.annotation.upstream.bulk_files.lines import UnusableFile, lines

MAX_LINE_BYTES = 1 << 16
"""Bytes of a line, if nothing else is said."""

MAX_TABLE_BYTES = 1 << 30
"""Bytes of a table, decompressed, if nothing else is said."""


class Line(NamedTuple):
    """A row of a table.

    Attributes:
        number: of the line, from 1.
        values: of the columns that were asked for, in their order.
    """

    number: int
    values: tuple[str, ...]


def read_table(
    path: Path,
    columns: Sequence[str],
    *,
    separator: str = "\t",
    longest: int = MAX_LINE_BYTES,
    most: int = MAX_TABLE_BYTES,
) -> Iterator[Line]:
    """Read some columns of a table row by row.

    Args:
        path: of the table, which may be compressed with gzip or bgzip.
        columns: the names of the columns, as the header has them.
        separator: between two fields.
        longest: bytes of a line.
        most: bytes of the table, decompressed.

    Raises:
        UnusableFile: a column is missing, a row has more or fewer fields than the header, or a line
            or the table is too long.
        EOFError, OSError: a compressed file is cut short, or is not a gzip file.
    """
    try:
        found = enumerate(lines(path, longest=longest, most=most), 1)
        header = next(found, (1, ""))[1].rstrip("\r\n").removeprefix("#").split(separator)
        if missing := [name for name in columns if name not in header]:
            raise UnusableFile(f"{path.name} has no column {', '.join(missing)}")
        places = [header.index(name) for name in columns]
        for number, line in found:
            fields = line.rstrip("\r\n").split(separator)
            if len(fields) != len(header):
                raise UnusableFile(
                    f"{path.name}, line {number}: {len(fields)} fields in {len(header)} columns"
                )
            yield Line(number, tuple(fields[place] for place in places))
    except UnicodeDecodeError as error:
        raise UnusableFile(f"{path.name} is not UTF-8: {error.reason}") from error


def as_number(text: str, missing: Collection[str] = ("NA", "")) -> float | None:
    """Return the number that a field holds.

    Args:
        text: of the field.
        missing: what the table writes where there is no number; it gives None.

    Raises:
        UnusableFile: the field holds neither.
    """
    try:
        return None if text in missing else float(text)
    except ValueError:
        raise UnusableFile(f"{text[:40]!r} is not a number") from None
