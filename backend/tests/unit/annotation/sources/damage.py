"""Damages files of sources in realistic ways, and judges the answers.

A test damages a good file, and :func:`judge` fails if an answer from the damaged file is wrong but
looks right. The file may be refused, and answers may be unchanged. A gene may become absent only if
the file has fewer genes than before, because the refresh compares these numbers.
"""

import gzip
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from isal import isal_zlib

from app.annotation.sources.answers import Gene
from app.annotation.upstream.bulk_files.messages import Count, Reading
from app.core.errors import KidneyGeneticsError

UNUSABLE = (KidneyGeneticsError, EOFError, OSError, isal_zlib.IsalError)
"""The exceptions that the reading process reports as an unusable file."""

NO_NUMBERS = ("x", "nan", "inf", "-inf", "1e999", "1_0", "1,5", "true", "[]")
"""Texts that are not numbers, although `float` accepts some of them."""

Read = Callable[..., Reading]


class Damage(NamedTuple):
    """A damaged file.

    Attributes:
        what: a description of the damage.
        content: the content of the file.
    """

    what: str
    content: bytes


class Said(NamedTuple):
    """The answers of a reader.

    Attributes:
        answers: the answers in the order of the genes: data as JSON, None if absent, or the reason
            if unknown.
        counts: the counts of the files.
    """

    answers: list[Any]
    counts: list[Count]


def ask(
    read: Read, genes: Sequence[Gene], *paths: Path, options: Mapping[str, Any] | None = None
) -> Said:
    """Call a reader like the reading process does."""
    reading = read(msgspec.to_builtins({"genes": genes, "options": options or {}}), *paths)
    answers = [each for part in reading.parts for each in part]
    return Said(msgspec.json.decode(msgspec.json.encode(answers)), list(reading.counts))


def judge(read: Read, genes: Sequence[Gene], right: Said, *paths: Path) -> bool:
    """Call a reader, and fail if an answer is wrong but looks right.

    Returns:
        Whether the files were refused.
    """
    try:
        said = ask(read, genes, *paths)
    except UNUSABLE:
        return True
    fewer = any(
        now.genes < before.genes for now, before in zip(said.counts, right.counts, strict=True)
    )
    for gene, answer, expected in zip(genes, said.answers, right.answers, strict=True):
        if isinstance(answer, str) or answer == expected or (answer is None and fewer):
            continue
        raise AssertionError(f"{gene.symbol} is now {answer}, and was {expected}")
    return False


def refused(
    read: Read, damages: Iterable[Damage], genes: Sequence[Gene], right: Said, path: Path
) -> dict[str, bool]:
    """Judge each damaged file. Return by damage whether it is refused.

    Args:
        read: the reader.
        damages: the damaged files.
        genes: the requested genes.
        right: the answers from the good file.
        path: the path for the damaged files.
    """
    found = {}
    for damage in damages:
        path.write_bytes(damage.content)
        found[damage.what] = judge(read, genes, right, path)
    return found


def without_each_column(
    table: str, columns: Sequence[str], *, separator: str = "\t", header: int = 0
) -> Iterator[Damage]:
    """Remove each column in turn. `header` is the number of lines before the header."""
    before, rows = _split(table, separator, header)
    for name in columns:
        place = rows[0].index(name)
        kept = [row[:place] + row[place + 1 :] for row in rows]
        yield Damage(f"without {name}", _joined(before, kept, separator))


def with_wrong_fields(
    table: str,
    wrong: Mapping[str, Sequence[str]],
    *,
    row: int = 0,
    separator: str = "\t",
    header: int = 0,
) -> Iterator[Damage]:
    """Put wrong values into a row, one at a time.

    Args:
        table: the table to damage.
        wrong: the wrong values by column.
        row: the number of the row, from 0.
        separator: between two fields.
        header: the number of lines before the header.
    """
    before, rows = _split(table, separator, header)
    for name, values in wrong.items():
        place = rows[0].index(name)
        for value in values:
            changed = [list(each) for each in rows]
            changed[row + 1][place] = value
            yield Damage(f"{name} is {value!r}", _joined(before, changed, separator))


def cuts(table: str) -> Iterator[Damage]:
    """Truncate a text at several places in each line, and after each line."""
    end = 0
    for line in table.splitlines(keepends=True):
        start, end = end, end + len(line)
        inside = {start + len(line) * part // 4 for part in range(4)}
        for place in sorted({*inside, end - 3, end - 2, end - 1, end} - {len(table)}):
            if start <= place:
                yield Damage(f"cut at {place} of {len(table)}", table[:place].encode())


def broken_gzips(content: bytes) -> Iterator[Damage]:
    """Damage a gzip or bgzip file: truncate it at many places, and change bytes."""
    size = len(content)
    places = {0, 1, 9, 10, 18, *range(20, size, max(1, size // 50)), size - 8, size - 1}
    for place in sorted(places):
        yield Damage(f"{place} of {size} bytes", content[:place])
    for place in range(size // 10, size - 30, max(1, size // 10)):
        changed = bytes(byte ^ 0xFF for byte in content[place : place + 4])
        yield Damage(f"bytes at {place}", content[:place] + changed + content[place + 4 :])
    yield Damage("not compressed", gzip.decompress(content))
    yield Damage("a web page", b"<!DOCTYPE html><html><body>down for maintenance</body></html>\n")


def _split(table: str, separator: str, header: int) -> tuple[str, list[list[str]]]:
    lines = table.splitlines()
    before = "".join(f"{line}\n" for line in lines[:header])
    return before, [line.split(separator) for line in lines[header:]]


def _joined(before: str, rows: Sequence[Sequence[str]], separator: str) -> bytes:
    return (before + "".join(separator.join(row) + "\n" for row in rows)).encode()
