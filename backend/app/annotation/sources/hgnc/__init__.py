"""HGNC: the approved symbols, and the identifiers by which other sources are asked.

Its records are also what gene lists are resolved by, see :mod:`app.annotation.genes`.
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
