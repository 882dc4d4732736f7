"""Reads lines of an untrusted file, with a maximum length of each line and of the file."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO, Literal, cast

from isal import igzip, igzip_threaded

from app.core.errors import KidneyGeneticsError

BLOCK = 1 << 20


class UnusableFile(KidneyGeneticsError):
    """The file is damaged or does not have the expected format."""


@contextmanager
def in_line(path: Path, number: int) -> Iterator[None]:
    """Prefix the errors raised in the block with the file's name and the line number."""
    try:
        yield
    except UnusableFile as error:
        raise UnusableFile(f"{path.name}, line {number}: {error}") from error


def lines(
    path: Path,
    *,
    max_line: int,
    max_size: int,
    errors: Literal["strict", "replace"] = "strict",
    ended: bool = False,
) -> Iterator[str]:
    """Read a text file line by line, with the line ends.

    Args:
        path: the path of the file. One whose name ends in `gz` is decompressed (gzip or bgzip).
        max_line: the maximum length of a line in bytes.
        max_size: the maximum size of the decompressed file in bytes.
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
        while line := file.readline(max_line + 1):
            size += len(line)
            if len(line) > max_line:
                raise UnusableFile(f"{path.name} has a line of more than {max_line:,} bytes")
            if size > max_size:
                raise UnusableFile(f"{path.name} has more than {max_size:,} bytes")
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
    stream: IO[bytes], *, max_line: int, max_size: int, ended: bool = False
) -> Iterator[list[bytes]]:
    """Read many lines at a time, without the line ends; faster than one by one.

    Args:
        stream: what is read.
        max_line: the maximum length of a line in bytes, checked to within a block of 1 MB.
        max_size: the maximum number of bytes in total.
        ended: see :func:`lines`.

    Raises:
        UnusableFile: a line, or all, is longer, or the last line does not end.
    """
    for text in _blocks(stream, max_line=max_line, max_size=max_size):
        found = text.split(b"\n")
        if not found[-1]:
            found.pop()
        elif ended:
            raise UnusableFile("the file is cut short within its last line")
        yield found


def blocks_of_text(stream: IO[bytes], *, max_line: int, max_size: int) -> Iterator[bytes]:
    """Read many whole lines at a time, with their line ends, and do not split them.

    Args:
        stream: what is read.
        max_line: the maximum length of a line in bytes, checked to within a block of 1 MB.
        max_size: the maximum number of bytes in total.

    Raises:
        UnusableFile: a line, or all, is longer, or the last line does not end.
    """
    for text in _blocks(stream, max_line=max_line, max_size=max_size):
        if not text.endswith(b"\n"):
            raise UnusableFile("the file is cut short within its last line")
        yield text


def _blocks(stream: IO[bytes], *, max_line: int, max_size: int) -> Iterator[bytes]:
    """Read whole lines, and at last what follows the last line end, if anything does."""
    rest, size = b"", 0
    while block := stream.read(BLOCK):
        size += len(block)
        if size > max_size:
            raise UnusableFile(f"the file has more than {max_size:,} bytes")
        whole = block.rfind(b"\n") + 1
        if whole:
            yield rest + block[:whole]
            rest = b""
        rest += block[whole:]
        if len(rest) > max_line:
            raise UnusableFile(f"the file has a line of more than {max_line:,} bytes")
    if rest:
        yield rest
