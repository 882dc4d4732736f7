"""What is said between a worker and a process that reads a bulk file for it."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec

LONGEST = 64 * 1024**2
"""Bytes of a message."""


class Reading(NamedTuple):
    """What a reader returns when it has read a file to its end.

    Attributes:
        rows: without the header.
        genes: different genes in all of them, wanted or not.
        parts: the answer, in lists that can be written as JSON.
    """

    rows: int
    genes: int
    parts: Iterable[list[Any]]


class Order(msgspec.Struct):
    """What is to be done.

    Attributes:
        reader: ``module:function``.
        path: of the file.
        asked: what the reader is asked for.
    """

    reader: str
    path: str
    asked: Any


class Part(msgspec.Struct, tag=True):
    """A list of what was asked for; the file was read to its end before the first one."""

    data: msgspec.Raw


class Unreadable(msgspec.Struct, tag=True):
    """The file cannot be used; nothing was given."""

    reason: str


class Done(msgspec.Struct, tag=True):
    """All parts were sent.

    Attributes:
        rows: of the file, without its header.
        genes: different genes in all of its rows.
        digest: its SHA-256.
    """

    rows: int
    genes: int
    digest: str
