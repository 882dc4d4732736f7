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
"""Maximum length of a line in bytes, by default."""

MAX_TABLE_BYTES = 1 << 30
"""Maximum length of a decompressed table in bytes, by default."""


class Line(NamedTuple):
    """A row of a table.

    Attributes:
        number: the number of the line, from 1.
        values: the values of the columns that were asked for, in their order.
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
    max_line: int = MAX_LINE_BYTES,
    max_size: int = MAX_TABLE_BYTES,
) -> Iterator[Line]:
    """Read some columns of a table row by row.

    Args:
        path: the path of the table, which may be compressed with gzip or bgzip.
        columns: the names of the columns, as the header has them.
        separator: between two fields.
        quoted: whether fields may be in double quotes, as in CSV files (RFC 4180).
        lines_before: the maximum number of lines before the header, such as a banner.
        ended: whether the last line must have a line end; see :func:`~.lines.lines`.
        max_line: the maximum length of a line in bytes.
        max_size: the maximum size of the decompressed table in bytes.

    Raises:
        UnusableFile: a column is missing or occurs twice, a row has more or fewer fields than the
            header, or a line or the table is too long.
        EOFError, OSError: a compressed file is cut short, or is not a gzip file.
    """
    rows = read_rows(
        path, separator=separator, quoted=quoted, ended=ended, max_line=max_line, max_size=max_size
    )
    header: tuple[str, ...] = ()
    first_missing: list[str] | None = None
    for _, fields in islice(rows, lines_before + 1):
        # a blank line in a banner has no fields
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
    max_line: int = MAX_LINE_BYTES,
    max_size: int = MAX_TABLE_BYTES,
) -> Iterator[Line]:
    """Read all fields of each line, as of a table without a header; see :func:`read_table`.

    Raises:
        UnusableFile: a line or the table is too long, or a quote is not closed.
        EOFError, OSError: a compressed file is cut short, or is not a gzip file.
    """
    found = lines(path, max_line=max_line, max_size=max_size, ended=ended)
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
    minimum: float = -math.inf,
    maximum: float = math.inf,
) -> float | None:
    """Return the number that a field holds.

    Args:
        text: the text of the field.
        missing: the texts that mean a missing value; they return None.
        minimum: the smallest allowed number.
        maximum: the largest allowed number.

    Raises:
        UnusableFile: the field is not a finite number ("nan" and infinity included), or the number
            is out of bounds.
    """
    if text in missing:
        return None
    (number,) = as_numbers([text], minimum=minimum)
    if number > maximum:
        raise UnusableFile(f"{text[:40]!r} is more than {maximum:g}")
    return number


def as_numbers(texts: Sequence[str], *, minimum: float = -math.inf) -> list[float]:
    """Return the numbers of many fields, none of which may be missing; see :func:`as_number`.

    Raises:
        UnusableFile: one of the fields is not a number.
    """
    try:
        numbers = [float(text) for text in texts]
    except ValueError as error:
        raise UnusableFile(str(error)[:200]) from None
    # float() accepts "1_0" as 10, and one non-finite number makes the sum non-finite
    if not math.isfinite(sum(numbers)) or "_" in "".join(texts):
        raise UnusableFile(f"one of {texts[:3]}... is not a number")
    if numbers and min(numbers) < minimum:
        raise UnusableFile(f"{min(numbers):g} is less than {minimum:g}")
    return numbers


def as_time(text: str) -> datetime | None:
    """Return the time of a field in ISO 8601 format, in UTC; None if the field is empty.

    A time without an offset is read as UTC, and a date as the start of that day.

    Raises:
        UnusableFile: the field is not a date or time.
    """
    try:
        found = datetime.fromisoformat(text) if text else None
        return found and (found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        # the first and last day that Python supports may overflow in UTC
        raise UnusableFile(f"{text[:40]!r} is not a date") from None
