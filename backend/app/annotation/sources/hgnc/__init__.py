"""HGNC: the approved symbols, and the identifiers that other sources need.

`records` reads its files row by row, and `identity` reads what became of genes; see
:mod:`app.annotation.genes.identity`.

Gene lists are resolved with its records, too; see :mod:`app.annotation.genes`.
"""

from typing import TYPE_CHECKING, Any

from app.annotation.sources.hgnc.reader import count_records
from app.annotation.sources.hgnc.records import (
    APPROVED,
    COMPLETE_SET,
    PROTEIN_CODING,
    WITHDRAWN,
    Record,
    Target,
    Withdrawn,
    read_records,
    read_withdrawn,
)

if TYPE_CHECKING:
    from app.annotation.sources.hgnc.source import FILES, Hgnc

__all__ = [
    "APPROVED",
    "COMPLETE_SET",
    "FILES",
    "PROTEIN_CODING",
    "WITHDRAWN",
    "Hgnc",
    "Record",
    "Target",
    "Withdrawn",
    "count_records",
    "read_records",
    "read_withdrawn",
]


def __getattr__(name: str) -> Any:
    if name not in {"FILES", "Hgnc"}:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    # a process that reads a file needs no source
    from app.annotation.sources.hgnc import source

    return getattr(source, name)
