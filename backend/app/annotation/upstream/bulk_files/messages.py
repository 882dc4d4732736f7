"""The messages between a worker and the process that reads a bulk file for it."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import msgspec

MAX_MESSAGE = 64 * 1024**2
"""Bytes of a message."""


class Count(NamedTuple):
    """The size of a file.

    Attributes:
        rows: the number of rows, without the header.
        genes: the number of different genes in all rows, wanted or not.
    """

    rows: int
    genes: int


class Reading(NamedTuple):
    """What a reader returns when it has read its files to their end.

    Attributes:
        counts: of each file, in the order of the paths.
        parts: the answer, in lists that can be written as JSON.
        release: the release that a file names; None means the day of the first file.
    """

    counts: Sequence[Count]
    parts: Iterable[list[Any]]
    release: str | None = None


class Order(msgspec.Struct):
    """What the process is to do.

    Attributes:
        reader: ``module:function``.
        paths: of the files.
        asked: what the reader is asked for.
    """

    reader: str
    paths: list[str]
    asked: Any


class Part(msgspec.Struct, tag=True):
    """A list of what was asked for. The files were read to their end before the first one."""

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
        files: in the order of the paths.
        release: see :class:`Reading`.
    """

    files: list[Counted]
    release: str | None = None
