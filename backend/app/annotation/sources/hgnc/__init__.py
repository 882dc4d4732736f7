"""HGNC: the approved symbols, and the identifiers that other sources need.

Gene lists are resolved with its records, too; see :mod:`app.annotation.genes`.
"""

from app.annotation.sources.hgnc.records import (
    APPROVED,
    COMPLETE_SET,
    PROTEIN_CODING,
    WITHDRAWN,
    Record,
    Withdrawn,
    count_records,
    read_records,
    read_withdrawn,
)
from app.annotation.sources.hgnc.source import FILES, Hgnc

__all__ = [
    "APPROVED",
    "COMPLETE_SET",
    "FILES",
    "PROTEIN_CODING",
    "WITHDRAWN",
    "Hgnc",
    "Record",
    "Withdrawn",
    "count_records",
    "read_records",
    "read_withdrawn",
]
