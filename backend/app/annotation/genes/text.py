"""The lines of a text file that people and programs wrote."""

import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from app.core.errors import WrongUse

LONGEST_LINE = 100_000
"""Characters; a longer line is no row of a gene list."""

LONGEST_FILE = 100_000_000
"""Bytes."""

_NO_UTF_8 = re.compile("[\udc80-\udcff]")
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def read_lines(path: Path) -> list[tuple[int, str]]:
    """Return the lines that are not blank with their numbers, without characters nobody sees.

    The text is UTF-8, or UTF-16 with a byte order mark, which is what Excel calls Unicode text.
    Lines end in any way.

    Raises:
        WrongUse: naming the line, if it is no such text; or the file cannot be read.
    """
    try:
        size = path.stat().st_size
        if size > LONGEST_FILE:
            raise WrongUse(f"{path}: {size:,} bytes", allowed=f"at most {LONGEST_FILE:,} bytes")
        with path.open("rb") as file:
            wide = file.read(2) in _UTF_16
        # what is no UTF-8 is kept apart as lone surrogates, to be named by its line
        how = ("utf-16", "strict") if wide else ("utf-8-sig", "surrogateescape")
        with path.open(encoding=how[0], errors=how[1]) as file:
            return list(_lines(path, file))
    except OSError as error:
        raise WrongUse(
            f"{path}: {error.strerror or error}", allowed="a TSV or CSV file of genes, or `hgnc`"
        ) from error
    except UnicodeDecodeError as error:
        raise WrongUse(
            f"{path}: it begins as UTF-16 and is none: {error.reason}",
            allowed="a text file in UTF-8 or UTF-16",
            remedy="export the table again as tab-separated text in UTF-8",
        ) from error


def _lines(path: Path, file: IO[str]) -> Iterator[tuple[int, str]]:
    number = 0
    while line := file.readline(LONGEST_LINE + 1):
        number += 1
        if "\0" in line:
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
        if not line.isascii():
            line = _visible(line)
        if line.strip():
            yield number, line.rstrip("\n")


def _visible(line: str) -> str:
    """Take out byte order marks, zero-width characters, soft hyphens and marks of direction."""
    return "".join(char for char in line if unicodedata.category(char) != "Cf")
