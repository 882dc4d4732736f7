"""Reads lines of an untrusted file. The length of a line and of the file is bounded."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO, Literal, cast

from isal import igzip, igzip_threaded

from app.core.errors import KidneyGeneticsError

BLOCK = 1 << 20


class UnusableFile(KidneyGeneticsError):
    """The file is not what it should be."""


@contextmanager
def in_line(path: Path, number: int) -> Iterator[None]:
    """Add the name of the file and the number of the line to an error that is raised inside."""
    try:
        yield
    except UnusableFile as error:
        raise UnusableFile(f"{path.name}, line {number}: {error}") from error


def lines(
    path: Path,
    *,
    longest: int,
    most: int,
    errors: Literal["strict", "replace"] = "strict",
    ended: bool = False,
) -> Iterator[str]:
    """Read a text file line by line, with the line ends.

    Args:
        path: of the file. One whose name ends in `gz` is decompressed (gzip or bgzip).
        longest: bytes of a line.
        most: bytes of the file, decompressed.
        errors: what to do about bytes that are not UTF-8.
        ended: whether the last line must have a line end. In a file that is cut short within its
            last field, nothing else is missing.

    Raises:
        UnusableFile: a line or the file is longer, or the last line does not end.
        UnicodeDecodeError: it is not UTF-8.
        EOFError, OSError: a compressed file is cut short, or is not a gzip file (``BadGzipFile``).
    """
    size = 0
    with _opened(path) as file:
        while line := file.readline(longest + 1):
            size += len(line)
            if len(line) > longest:
                raise UnusableFile(f"{path.name} has a line of more than {longest:,} bytes")
            if size > most:
                raise UnusableFile(f"{path.name} has more than {most:,} bytes")
            if ended and not line.endswith(b"\n"):
                raise UnusableFile(f"{path.name} is cut short within its last line")
            yield line.decode("utf-8", errors)


def opened_ahead(path: Path) -> AbstractContextManager[IO[bytes]]:
    """Open a large gzip file. A thread decompresses it ahead, outside the interpreter's lock."""
    opened = igzip_threaded.open(path, "rb", block_size=BLOCK)  # type: ignore[no-untyped-call]
    return cast("AbstractContextManager[IO[bytes]]", opened)


def _opened(path: Path) -> IO[bytes]:
    if not path.name.endswith("gz"):
        return path.open("rb")
    opened = igzip.open(path, "rb")  # type: ignore[no-untyped-call]
    return cast("IO[bytes]", opened)


def blocks_of_lines(
    stream: IO[bytes], *, longest: int, most: int, ended: bool = False
) -> Iterator[list[bytes]]:
    """Read many lines at a time, without the line ends; faster than one by one.

    Args:
        stream: what is read.
        longest: bytes of a line, to within a block of 1 MB.
        most: bytes in all.
        ended: see :func:`lines`.

    Raises:
        UnusableFile: a line, or all, is longer, or the last line does not end.
    """
    for text in _blocks(stream, longest=longest, most=most):
        found = text.split(b"\n")
        if not found[-1]:
            found.pop()
        elif ended:
            raise UnusableFile("the file is cut short within its last line")
        yield found


def blocks_of_text(stream: IO[bytes], *, longest: int, most: int) -> Iterator[bytes]:
    """Read many whole lines at a time, with their line ends, and do not split them.

    Args:
        stream: what is read.
        longest: bytes of a line, to within a block of 1 MB.
        most: bytes in all.

    Raises:
        UnusableFile: a line, or all, is longer, or the last line does not end.
    """
    for text in _blocks(stream, longest=longest, most=most):
        if not text.endswith(b"\n"):
            raise UnusableFile("the file is cut short within its last line")
        yield text


def _blocks(stream: IO[bytes], *, longest: int, most: int) -> Iterator[bytes]:
    """Read whole lines, and at last what follows the last line end, if anything does."""
    rest, size = b"", 0
    while block := stream.read(BLOCK):
        size += len(block)
        if size > most:
            raise UnusableFile(f"the file has more than {most:,} bytes")
        whole = block.rfind(b"\n") + 1
        if whole:
            yield rest + block[:whole]
            rest = b""
        rest += block[whole:]
        if len(rest) > longest:
            raise UnusableFile(f"the file has a line of more than {longest:,} bytes")
    if rest:
        yield rest
