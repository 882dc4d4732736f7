"""What is said between a worker and the process that reads its bulk table."""

from typing import Any

import msgspec

from app.annotation.sources.clinvar.attribution import WantedGene


class Order(msgspec.Struct):
    """The table, and the genes to count."""

    path: str
    genes: list[WantedGene]


class Counts(msgspec.Struct, tag=True):
    """The annotations of the next genes in the order's list; null for a gene without variants."""

    data: list[dict[str, Any] | None]


class Unreadable(msgspec.Struct, tag=True):
    """The table cannot be used; nothing was counted."""

    reason: str


class Done(msgspec.Struct, tag=True):
    """All genes were sent.

    Attributes:
        rows: of the table, without its header.
        genes: that its rows tell of, each once; those of rows about several are not counted.
        digest: its SHA-256.
    """

    rows: int
    genes: int
    digest: str
