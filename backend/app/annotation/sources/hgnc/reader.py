"""Reads the complete set: the records of some genes, and its size."""

from pathlib import Path
from typing import Any

import msgspec

from app.annotation.sources.answers import MAX_ANSWERS
from app.annotation.sources.hgnc.records import read_records
from app.annotation.upstream.bulk_files.digest import sha256
from app.annotation.upstream.bulk_files.messages import Count, Reading


def read(request: Any, path: Path) -> Reading:
    """Return the records of some genes. This is the file's reader.

    Args:
        request: HGNC ids.
        path: the path of ``hgnc_complete_set.txt``.
    """
    only = frozenset(request)
    rows = genes = 0
    requested: list[msgspec.Raw] = []
    for record in read_records(path):
        rows += 1
        genes += record.counts
        if record.hgnc_id in only:
            requested.append(msgspec.Raw(msgspec.json.encode(record)))
    starts = range(0, len(requested), MAX_ANSWERS)
    parts = (requested[at : at + MAX_ANSWERS] for at in starts)
    return Reading([Count(rows, genes)], parts)


def count_records(path: Path) -> tuple[str, int, int]:
    """Return the SHA-256 of the complete set, its rows, and its genes (see :attr:`Record.counts`).

    Raises:
        BadAnswer: see :func:`read_records`.
    """
    digest = sha256(path)
    rows = genes = 0
    for record in read_records(path):
        rows += 1
        genes += record.counts
    return digest, rows, genes
