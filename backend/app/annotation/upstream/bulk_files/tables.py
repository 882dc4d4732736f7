"""Reads tables with a header: TSV, or another separator. Columns are found by their names."""

import csv
import math
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
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
    quoted: bool = False,
    lines_before: int = 0,
    ended: bool = False,
    longest: int = MAX_LINE_BYTES,
    most: int = MAX_TABLE_BYTES,
) -> Iterator[Line]:
    """Read some columns of a table row by row.

    Args:
        path: of the table, which may be compressed with gzip or bgzip.
        columns: the names of the columns, as the header has them.
        separator: between two fields.
        quoted: whether fields may be in double quotes, as in CSV files (RFC 4180).
        lines_before: the most lines that may precede the header, such as a banner.
        ended: whether the last line must have a line end; see :func:`~.lines.lines`.
        longest: bytes of a line.
        most: bytes of the table, decompressed.

    Raises:
        UnusableFile: a column is missing or occurs twice, a row has more or fewer fields than the
            header, or a line or the table is too long.
        EOFError, OSError: a compressed file is cut short, or is not a gzip file.
    """
    rows = read_rows(
        path, separator=separator, quoted=quoted, ended=ended, longest=longest, most=most
    )
    header: tuple[str, ...] = ()
    first_missing: list[str] | None = None
    for _, fields in islice(rows, lines_before + 1):
        # a blank line of a banner may have no field
        header = (*(name.removeprefix("#") for name in fields[:1]), *fields[1:])
        missing = [name for name in columns if name not in header]
        if first_missing is None or len(missing) < len(first_missing):
            first_missing = missing
        if not missing:
            break
    if first_missing is None or first_missing:
        raise UnusableFile(f"{path.name} has no column {', '.join(first_missing or columns)}")
    if repeated := [name for name in columns if header.count(name) > 1]:
        raise UnusableFile(f"{path.name} has the column {', '.join(repeated)} more than once")
    places = [header.index(name) for name in columns]
    for number, fields in rows:
        if len(fields) != len(header):
            raise UnusableFile(
                f"{path.name}, line {number}: {len(fields)} fields in {len(header)} columns"
            )
        yield Line(number, tuple(fields[place] for place in places))


def read_rows(
    path: Path,
    *,
    separator: str = "\t",
    quoted: bool = False,
    ended: bool = False,
    longest: int = MAX_LINE_BYTES,
    most: int = MAX_TABLE_BYTES,
) -> Iterator[Line]:
    """Read all fields of each line, as of a table without a header; see :func:`read_table`.

    Raises:
        UnusableFile: a line or the table is too long, or a quote is not closed.
        EOFError, OSError: a compressed file is cut short, or is not a gzip file.
    """
    found = lines(path, longest=longest, most=most, ended=ended)
    try:
        if not quoted:
            for number, line in enumerate(found, 1):
                yield Line(number, tuple(line.rstrip("\r\n").split(separator)))
            return
        reader = csv.reader(found, delimiter=separator, strict=True)
        for fields in reader:
            yield Line(reader.line_num, tuple(fields))
    except UnicodeDecodeError as error:
        raise UnusableFile(f"{path.name} is not UTF-8: {error.reason}") from error
    except csv.Error as error:
        raise UnusableFile(f"{path.name} is not a CSV file: {error}") from error


def as_number(
    text: str,
    missing: Collection[str] = ("NA", ""),
    *,
    least: float = -math.inf,
    most: float = math.inf,
) -> float | None:
    """Return the number that a field holds.

    Args:
        text: of the field.
        missing: what the table writes where there is no number; it gives None.
        least: that the number can be.
        most: that the number can be.

    Raises:
        UnusableFile: the field holds something else: a word, infinity, no number ("nan"), or a
            number out of these bounds.
    """
    if text in missing:
        return None
    (number,) = as_numbers([text], least=least)
    if number > most:
        raise UnusableFile(f"{text[:40]!r} is more than {most:g}")
    return number


def as_numbers(texts: Sequence[str], *, least: float = -math.inf) -> list[float]:
    """Return the numbers of many fields, none of which may be missing; see :func:`as_number`.

    Raises:
        UnusableFile: one of the fields holds something else.
    """
    try:
        numbers = [float(text) for text in texts]
    except ValueError as error:
        raise UnusableFile(str(error)[:200]) from None
    # float() takes "1_0" for 10, and the sum of anything that is not finite is not finite
    if not math.isfinite(sum(numbers)) or "_" in "".join(texts):
        raise UnusableFile(f"one of {texts[:3]}... is not a number")
    if numbers and min(numbers) < least:
        raise UnusableFile(f"{min(numbers):g} is less than {least:g}")
    return numbers


def as_time(text: str) -> datetime | None:
    """Return the time that a field holds as ISO 8601 writes it, in UTC; None if it is empty.

    A time without an offset is taken for UTC, and a day for its beginning.

    Raises:
        UnusableFile: the field holds something else.
    """
    try:
        found = datetime.fromisoformat(text) if text else None
        return found and (found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        # a day at either end of the calendar may have no equal in UTC
        raise UnusableFile(f"{text[:40]!r} is not a date") from None
