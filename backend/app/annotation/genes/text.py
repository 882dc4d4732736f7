"""Reads the lines of a text file from any program or person."""

import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from app.core.errors import WrongUse

MAX_LINE_CHARS = 100_000
"""Maximum length of a line of a gene list, in characters."""

MAX_FILE_BYTES = 100_000_000
"""Maximum size of a gene list in bytes."""

_NOT_UTF_8 = re.compile("[\udc80-\udcff]")
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def read_lines(path: Path) -> list[tuple[int, str]]:
    """Return the nonblank lines with their numbers, without invisible characters.

    The text is UTF-8, or UTF-16 with a byte order mark, which Excel calls Unicode text. All line
    ends are accepted.

    Raises:
        WrongUse: the file cannot be read or is not such a text (the error names the line).
    """
    try:
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            raise WrongUse(f"{path}: {size:,} bytes", allowed=f"at most {MAX_FILE_BYTES:,} bytes")
        with path.open("rb") as file:
            wide = file.read(2) in _UTF_16
        # bytes that are not UTF-8 become lone surrogates, so that the error can name their line
        how = ("utf-16", "strict") if wide else ("utf-8-sig", "surrogateescape")
        with path.open(encoding=how[0], errors=how[1]) as file:
            return list(_lines(path, file))
    except OSError as error:
        raise WrongUse(
            f"{path}: {error.strerror or error}", allowed="a TSV or CSV file of genes, or `hgnc`"
        ) from error
    except UnicodeDecodeError as error:
        raise WrongUse(
            f"{path}: it begins as UTF-16 but is not UTF-16: {error.reason}",
            allowed="a text file in UTF-8 or UTF-16",
            remedy="export the table again as tab-separated text in UTF-8",
        ) from error


def _lines(path: Path, file: IO[str]) -> Iterator[tuple[int, str]]:
    number = 0
    while line := file.readline(MAX_LINE_CHARS + 1):
        number += 1
        if "\0" in line:
            raise WrongUse(
                f"{path}, line {number}: binary data",
                allowed="a text file in UTF-8",
                remedy="export the table as tab-separated text in UTF-8",
            )
        if len(line) > MAX_LINE_CHARS:
            raise WrongUse(
                f"{path}, line {number}: longer than {MAX_LINE_CHARS:,} characters",
                allowed="one gene in each line",
                remedy="split the line, or export the table again as tab-separated text",
            )
        if (wrong := _NOT_UTF_8.search(line)) is not None:
            raise WrongUse(
                f"{path}, line {number}: byte {ord(wrong[0]) - 0xDC00:#04x} is not UTF-8",
                allowed="UTF-8",
                remedy=f"iconv -f LATIN1 -t UTF-8 {path.name} > utf8-{path.name}",
            )
        if not line.isascii():
            line = _visible(line)
        if line.strip():
            yield number, line.rstrip("\n")


def _visible(line: str) -> str:
    """Remove byte order marks, zero-width characters, soft hyphens and direction marks."""
    return "".join(char for char in line if unicodedata.category(char) != "Cf")
