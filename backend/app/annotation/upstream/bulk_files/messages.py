"""The messages between a worker and the process that reads a bulk file for it."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import msgspec

MAX_MESSAGE = 64 * 1024**2
"""Maximum length of a message in bytes."""


class Count(NamedTuple):
    """The size of a file.

    Attributes:
        rows: the number of rows, without the header.
        genes: the number of distinct genes in all rows, including genes that were not asked about.
    """

    rows: int
    genes: int


class Reading(NamedTuple):
    """What a reader returns when it has read its files to their end.

    Attributes:
        counts: the counts of each file, in the order of the paths.
        parts: the answer as lists that can be serialized as JSON.
        release: the release that a file names; None means the date of the first file.
    """

    counts: Sequence[Count]
    parts: Iterable[list[Any]]
    release: str | None = None


class Order(msgspec.Struct):
    """The task of the child process.

    Attributes:
        reader: ``module:function``.
        paths: the paths of the files.
        request: the request that the reader receives.
    """

    reader: str
    paths: list[str]
    request: Any


class Part(msgspec.Struct, tag=True):
    """One list of the answer. The first part is sent after the files were read completely."""

    data: msgspec.Raw


class Unreadable(msgspec.Struct, tag=True):
    """A file cannot be used."""

    reason: str


class Counted(msgspec.Struct):
    """A file that was read: its SHA-256, and its size as in :class:`Count`."""

    digest: str
    rows: int
    genes: int


class Done(msgspec.Struct, tag=True):
    """All parts were sent.

    Attributes:
        files: the digests and sizes of the files, in the order of the paths.
        release: see :class:`Reading`.
    """

    files: list[Counted]
    release: str | None = None
