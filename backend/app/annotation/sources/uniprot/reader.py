"""The reader of the file that UniProt's entries were collected in."""

from pathlib import Path
from typing import Any

from app.annotation.sources.keyed import Grouped, ReaderRequest, reading
from app.annotation.sources.uniprot.data import Protein, UniProtData
from app.annotation.sources.uniprot.entries import COLUMNS, read_entry
from app.annotation.upstream.bulk_files.lines import UnusableFile
from app.annotation.upstream.bulk_files.messages import Count, Reading
from app.annotation.upstream.bulk_files.tables import read_table

_MAX_LINE_BYTES = 1 << 20
"""Bytes of a line. The long texts with all their evidence have some 50 KB."""


def read(request: Any, path: Path) -> Reading:
    """Return the entries of each requested gene. This is the file's reader.

    Raises:
        UnusableFile: a row has another form, or an entry occurs twice, as when a page was sent
            twice in place of another one.
    """
    rows = Grouped[Protein](ReaderRequest.of(request), "hgnc_id")
    seen: set[str] = set()
    for line in read_table(path, COLUMNS, max_line=_MAX_LINE_BYTES):
        entry = read_entry(line.values)
        if entry.accession in seen:
            raise UnusableFile(f"{path.name} has {entry.accession} twice")
        seen.add(entry.accession)
        for hgnc_id in entry.hgnc_ids:
            rows.add(hgnc_id, entry)
    return reading([rows], _data, sizes=[Count(len(seen), rows.size.genes)])


def _data(entries: list[Protein]) -> UniProtData:
    return UniProtData(sorted(entries, key=lambda each: (-each.length, each.accession)))
