"""Detects the dialect of a table: its delimiter, its quotes, and the lines before its header."""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from app.annotation.genes.headers import column_name, known
from app.core.errors import WrongUse

Line = tuple[int, str]
Record = tuple[int, list[str]]

_DELIMITERS = ("\t", ",", ";")
_EXCEL_SEPARATOR = re.compile(r'"?sep=([,;:|\t ])"?', re.IGNORECASE)
_SAMPLE_LINES = 50
"""The number of lines used to detect the delimiter."""


def records(path: Path, lines: Sequence[Line]) -> list[Record]:
    """Return the rows with their first line numbers. The header, if there is one, comes first.

    Comments before the header (``#``), Excel's line ``sep=;`` and blank rows are skipped. Quotes
    within quotes are doubled (RFC 4180, pandas, Excel, R's ``write.csv``) or escaped by a backslash
    (R's ``write.table``).

    Raises:
        WrongUse: a quote is not closed, or text follows a closing quote. The error names the line.
    """
    lines = _without_comments(lines)
    if not lines:
        return []
    if declared := _EXCEL_SEPARATOR.fullmatch(lines[0][1]):
        lines, delimiter = lines[1:], declared[1]
    else:
        delimiter = _delimiter(path, lines)
    if not any('\\"' in line for _, line in lines):
        return list(_records(path, lines, delimiter))
    return _best_reading(path, lines, delimiter)


def _best_reading(path: Path, lines: Sequence[Line], delimiter: str) -> list[Record]:
    """Read a table in which a backslash may escape a quote.

    The table is read with and without escaping. The reading in which more rows match the header is
    used.
    """
    try:
        doubled = list(_records(path, lines, delimiter))
    except WrongUse:
        return list(_records(path, lines, delimiter, escaped=True))
    try:
        escaped = list(_records(path, lines, delimiter, escaped=True))
    except WrongUse:
        return doubled
    return min(doubled, escaped, key=_unlike_the_header)


def _unlike_the_header(rows: Sequence[Record]) -> int:
    """Count the rows with fewer cells than the header or with more than one extra cell."""
    width = len(rows[0][1]) if rows else 0
    return sum(1 for _, cells in rows if not width <= len(cells) <= width + 1)


def _without_comments(lines: Sequence[Line]) -> Sequence[Line]:
    """Remove the lines that begin with ``#``, except a header."""
    comments = next((at for at, (_, line) in enumerate(lines) if line[0] != "#"), len(lines))
    if not comments:
        return lines
    rest = lines[comments:]
    number, last = lines[comments - 1]
    last = last.lstrip("#").strip(" ")
    header, first = (_best(line) for line in (last, rest[0][1] if rest else ""))
    if known(header) > known(first) and (not rest or len(header) == len(first)):
        return [(number, last), *rest]
    return rest


def _best(line: str) -> list[str]:
    """Split a line by the delimiter that gives the most known column names or cells."""
    splits = [cells for delimiter in _DELIMITERS if (cells := _first([line], delimiter))]
    return max(splits, key=lambda cells: (known(cells), len(cells)), default=[line])


def _delimiter(path: Path, lines: Sequence[Line]) -> str:
    texts = [line for _, line in lines]
    headers = {delimiter: _first(texts, delimiter) or [] for delimiter in _DELIMITERS}
    best = max(_DELIMITERS, key=lambda each: (known(headers[each]), len(headers[each])))
    if len(headers[best]) > 1 and known(headers[best]):
        return best
    sample = texts[1 : _SAMPLE_LINES + 1]
    if known(headers[best]) and (beside := _delimiter_after_row_names(sample)):
        return beside
    if _is_separated_by_blanks(texts[0], sample):
        return " "
    if len(headers[best]) > 1:
        return best
    return "," if path.suffix.lower() == ".csv" else "\t"


def _delimiter_after_row_names(sample: Sequence[str]) -> str | None:
    """Return the delimiter of a one-column table that R wrote with row names."""
    for delimiter in _DELIMITERS:
        if sample and all(len(_first([line], delimiter) or ()) == 2 for line in sample):  # noqa: PLR2004 - a row name and a cell
            return delimiter
    return None


def _is_separated_by_blanks(header: str, sample: Sequence[str]) -> bool:
    """Tell whether R's ``write.table`` wrote the table with blanks, its default delimiter."""
    cells = _first([header], " ", escaped=True) or []
    widths = {len(_first([line], " ", escaped=True) or ()) for line in sample}
    quoted = header.startswith('"')
    if not known(cells) or len(widths) != 1 or not widths <= {len(cells), len(cells) + 1}:
        return False
    if quoted:
        return widths != {1}
    # a name of several words, such as `Gene symbol`, is one column
    return known(cells) > 1 and not known([header]) and column_name(header) != ""


def _first(texts: Iterable[str], delimiter: str, *, escaped: bool = False) -> list[str] | None:
    """Return the first row; None if a quote is not closed."""
    try:
        return next(_reader((f"{text}\n" for text in texts), delimiter, escaped=escaped))
    except (csv.Error, StopIteration):
        return None


def _reader(lines: Iterable[str], delimiter: str, *, escaped: bool) -> Iterator[list[str]]:
    return csv.reader(
        lines,
        delimiter=delimiter,
        strict=True,
        doublequote=not escaped,
        escapechar="\\" if escaped else None,
    )


class _Counted:
    """Passes lines to a reader and remembers where each row began."""

    def __init__(self, lines: Iterable[Line]) -> None:
        self._lines = iter(lines)
        self.began: int | None = None

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        number, line = next(self._lines)
        if self.began is None:
            self.began = number
        return f"{line}\n"


def _records(
    path: Path, lines: Sequence[Line], delimiter: str, *, escaped: bool = False
) -> Iterator[Record]:
    counted = _Counted(lines)
    reader = _reader(counted, delimiter, escaped=escaped)
    while True:
        counted.began = None
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            # only the message tells these errors apart (CPython's Modules/_csv.c)
            behind = "expected after" in str(error)
            raise _wrong_quotes(path, counted.began or 0, delimiter, behind=behind) from None
        for cell in cells:
            # otherwise an unclosed quote would swallow all rows up to the next quote
            if "\n" in cell and (delimiter in cell or len(cells) == 1):
                raise _wrong_quotes(path, counted.began or 0, delimiter, behind=False)
        if any(cell.strip() for cell in cells):
            yield counted.began or 0, cells


def _wrong_quotes(path: Path, number: int, delimiter: str, *, behind: bool) -> WrongUse:
    wrong = "there is text after a closing quote" if behind else "a quote is not closed"
    return WrongUse(
        f"{path}, line {number}: {wrong}",
        allowed="quotes around a whole cell, closed in the same line, or later if there is no"
        f" {'tab' if delimiter == chr(9) else delimiter!r} in the cell",
        remedy="correct the line, or export the table again as tab-separated text",
    )
