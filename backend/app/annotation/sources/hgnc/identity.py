"""Reads what HGNC's files say about all genes: names, identifiers, and what became of genes.

It is read by the process that reads files, as blocks of rows in the text format of PostgreSQL's
``COPY``, so that a worker only hands the blocks on.
"""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec

from app.annotation.sources.hgnc.records import (
    APPROVED,
    Withdrawn,
    read_records,
    read_withdrawn,
)
from app.annotation.sources.names import is_indexable
from app.annotation.upstream.bulk_files.messages import Count, Reading

READER = f"{__name__}:read"

TableName = Literal["approved", "names", "withdrawn"]

_ROWS_PER_BLOCK = 2_000
_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})


class Block(msgspec.Struct):
    """Some rows of one of the tables, in the text format of ``COPY``.

    Attributes:
        table: ``approved`` (hgnc_id, symbol, ensembl_gene_id, entrez_id), ``names`` (hgnc_id, kind,
            name), or ``withdrawn`` (hgnc_id, event, array of HGNC ids).
        rows: one line each.
    """

    table: TableName
    rows: str


class Fate(NamedTuple):
    """What became of a gene that is not approved any more.

    Attributes:
        event: that is recorded.
        into: HGNC ids of approved genes, in order: one if it was merged, several if it was split.
    """

    event: Literal["merged", "split", "withdrawn"]
    into: tuple[str, ...]


def read(request: Any, complete_set: Path, withdrawn: Path | None = None) -> Reading:
    """Read both files, or the complete set alone. This is the reader.

    Args:
        request: nothing.
        complete_set: the path of ``hgnc_complete_set.txt``.
        withdrawn: the path of ``withdrawn.txt``.
    """
    del request
    approved: set[str] = set()
    genes: list[str] = []
    names: list[str] = []
    rows = 0
    for record in read_records(complete_set):
        rows += 1
        if record.status != APPROVED or record.hgnc_id in approved:
            continue
        approved.add(record.hgnc_id)
        names += [_row(record.hgnc_id, *each) for each in record.names().storable()]
        ids = (record.hgnc_id, record.symbol, record.ensembl_gene_id, record.entrez_id)
        if not record.lacking() and all(id_ is None or is_indexable(id_) for id_ in ids):
            genes.append(_row(*ids))
    counts = [Count(rows, len(approved))]
    fates: list[str] = []
    if withdrawn is not None:
        entries = list(read_withdrawn(withdrawn))
        for hgnc_id, fate in fates_of(entries, approved).items():
            fates.append(_row(hgnc_id, fate.event, f"{{{','.join(fate.into)}}}"))
        counts.append(Count(len(entries), len(entries)))
    tables: dict[TableName, list[str]] = {"approved": genes, "names": names, "withdrawn": fates}
    return Reading(counts, _blocks(tables))


def fates_of(entries: Collection[Withdrawn], approved: Collection[str]) -> dict[str, Fate]:
    """Tell what became of each withdrawn gene. Genes that cannot be judged are left out.

    A gene may have been merged into one that was withdrawn later, so the chain is followed to
    genes that are approved now. A gene is not judged if a gene of its chain is neither approved nor
    listed as withdrawn, because then the files are of different days, or one of them is cut short.

    Args:
        entries: the entries of ``withdrawn.txt``.
        approved: HGNC ids in the complete set. One that is also listed as withdrawn is approved.
    """
    listed = {entry.hgnc_id: entry for entry in entries}
    found: dict[str, Fate] = {}
    for hgnc_id in listed:
        if hgnc_id in approved:
            continue
        ends = _ends(hgnc_id, listed, approved)
        if ends is not None:
            event = ("withdrawn", "merged", "split")[min(len(ends), 2)]
            into = sorted(ends, key=lambda each: int(each.removeprefix("HGNC:")))
            found[hgnc_id] = Fate(event, tuple(into))  # type: ignore[arg-type]
    return found


def _ends(
    start: str, listed: Mapping[str, Withdrawn], approved: Collection[str]
) -> set[str] | None:
    """Return the approved genes at the ends of all chains from a gene; None if one breaks off."""
    ends: set[str] = set()
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        hgnc_id = waiting.pop()
        if hgnc_id in seen:  # of a circle, too
            continue
        seen.add(hgnc_id)
        if hgnc_id in approved:
            ends.add(hgnc_id)
            continue
        entry = listed.get(hgnc_id)
        if entry is None or entry.merged_into is None:
            return None
        if not entry.merged_into and entry.status == MERGED:
            return None
        waiting += [target.hgnc_id for target in entry.merged_into]
    return ends


MERGED = "Merged/Split"
"""The status of an entry that names at least one other gene."""


def _row(*values: str | None) -> str:
    return "\t".join([r"\N" if value is None else _escaped(value) for value in values]) + "\n"


def _escaped(value: str) -> str:
    # nearly no name has such a character, and the search is faster than the translation
    found = "\\" in value or "\t" in value or "\n" in value or "\r" in value
    return value.translate(_ESCAPES) if found else value


def _blocks(tables: Mapping[TableName, list[str]]) -> Iterator[list[Block]]:
    for name, rows in tables.items():
        for start in range(0, len(rows), _ROWS_PER_BLOCK):
            yield [Block(name, "".join(rows[start : start + _ROWS_PER_BLOCK]))]
