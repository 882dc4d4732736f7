"""Reads ``variant_summary.txt.gz``: millions of lines of about 1 KB into one tally for each gene.

This code runs in a child process (see `upstream.bulk_files`) and is optimized for speed. One thread
decompresses outside the interpreter's lock, and the other splits lines as bytes. Repeated values
(the gene, the four classifications, the dates) are looked up as bytes, and each is decoded once.
"""

from collections import defaultdict
from collections.abc import Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any

import msgspec

from app.annotation.sources.clinvar import aggregate
from app.annotation.sources.clinvar.aggregate import Profile, Tally
from app.annotation.sources.clinvar.attribution import GeneIndex, RequestedGene
from app.annotation.sources.clinvar.consequence import consequence
from app.annotation.upstream.bulk_files.lines import UnusableFile, blocks_of_lines, opened_ahead
from app.annotation.upstream.bulk_files.messages import Count, Reading

_MAX_LINE_BYTES = 1 << 20  # bytes; real lines have some 60 KB at most
_MAX_HEADER_BYTES = 1 << 16
_MAX_BYTES = 32 * 1024**3  # unpacked; real tables have 4 GB
_MAX_TERM_BYTES = 1_000  # bytes of a classification; real ones have 200
_MAX_PROFILES = 50_000  # different classifications; real tables have a few thousand
_GENES_PER_PART = 500
_MAX_CACHED_KEY_BYTES = 200  # bytes; longer gene lists (copy numbers) are not worth remembering
_MAX_CACHED = 200_000  # values remembered of each kind
_MAX_VARIATION_ID = 1 << 27  # of a variation; a broken file must not ask for more than 128 MB

REQUIRED = (
    "Name",
    "GeneID",
    "GeneSymbol",
    "ClinicalSignificance",
    "ReviewStatus",
    "LastEvaluated",
    "VariationID",
    "SomaticClinicalImpact",
    "SomaticClinicalImpactLastEvaluated",
    "Oncogenicity",
    "OncogenicityLastEvaluated",
)
"""The columns that the table must have. The last four exist since 2024."""


class TableError(UnusableFile):
    """The file is not ClinVar's table, or is damaged."""


def read(request: Any, path: Path) -> Reading:
    """Count the variants of genes, see :func:`read_table`. This is the file's reader.

    Args:
        request: the genes, as the JSON of :class:`~.attribution.RequestedGene`.
        path: the path of the table.
    """
    table = count_table(path, msgspec.convert(request, list[RequestedGene]))
    tallies = table.tallies
    starts = range(0, len(tallies), _GENES_PER_PART)
    parts = ([tally.data() for tally in tallies[at : at + _GENES_PER_PART]] for at in starts)
    return Reading([Count(table.rows, table.genes)], parts)


def read_table(path: Path, genes: Sequence[RequestedGene]) -> tuple[list[Tally], int]:
    """Count the variants of each gene.

    The table has one row of a variant for each assembly. The variant counts once, by its
    ``VariationID``.

    Returns:
        A tally for each gene, in the order given, and the number of rows read.

    Raises:
        TableError: a column is missing, or a line cannot be read or has other columns.
        EOFError, OSError: the file is cut short, or is not a gzip file (``BadGzipFile``).
    """
    table = count_table(path, genes)
    return table.tallies, table.rows


def count_table(path: Path, genes: Sequence[RequestedGene]) -> "Counted":
    """Count like :func:`read_table`, and also count all genes in the table.

    A row of several genes names them by symbol only. If the rows of single genes show that ClinVar
    uses other symbols than expected, the table is read again with ClinVar's symbols.
    """
    table = _count_table(path, genes)
    corrected = table.requested.corrected()
    return table if corrected is None else _count_table(path, corrected)


def _count_table(path: Path, genes: Sequence[RequestedGene]) -> "Counted":
    with opened_ahead(path) as stream:
        blocks = blocks_of_lines(stream, max_line=_MAX_LINE_BYTES, max_size=_MAX_BYTES)
        first = next(blocks, [b""])
        columns = _columns(first[0])
        reader = Counted(genes, columns)
        reader.count(first[1:])
        for lines in blocks:
            reader.count(lines)
        return reader


def _columns(header: bytes) -> dict[str, int]:
    if len(header) > _MAX_HEADER_BYTES:
        raise TableError(f"the table has a header of {len(header):,} bytes")
    names = header.decode("utf-8", "replace").strip("\r\n").removeprefix("#").split("\t")
    columns = {name.strip(): index for index, name in enumerate(names)}
    missing = [name for name in REQUIRED if name not in columns]
    if missing:
        raise TableError(f"the table has no column {', '.join(missing)}")
    return columns


_CLASSIFICATIONS = ("ClinicalSignificance", "ReviewStatus", "SomaticClinicalImpact", "Oncogenicity")
_DATES = ("LastEvaluated", "SomaticClinicalImpactLastEvaluated", "OncogenicityLastEvaluated")

_Found = list[tuple[Tally, defaultdict[Profile, int]]]


class Counted:
    """Counts lines, and caches the decoded values that repeat.

    Attributes:
        tallies: the counts of each requested gene, in order.
        rows: the number of lines counted, without the header.
        requested: the genes, and the symbols that ClinVar used for them.
    """

    def __init__(self, genes: Sequence[RequestedGene], columns: dict[str, int]) -> None:
        self.tallies = [Tally() for _ in genes]
        self.rows = 0
        self.requested = GeneIndex(genes)
        self._columns = columns
        self._said = itemgetter(*(columns[name] for name in _CLASSIFICATIONS))
        self._at = itemgetter(*(columns[name] for name in _DATES))
        self._gene = itemgetter(columns["GeneID"], columns["GeneSymbol"])
        # the columns after the last one that is read stay one field
        self._splits = min(1 + max(columns[name] for name in REQUIRED), len(columns) - 1)
        self._tabs_behind = len(columns) - 1 - self._splits
        self._seen = bytearray(1 << 22)
        self._gene_ids: set[str] = set()
        self._genes: dict[tuple[bytes, ...], _Found] = {}
        self._profiles: dict[tuple[bytes, ...], Profile] = {}
        self._days: dict[tuple[bytes, ...], int] = {}

    @property
    def genes(self) -> int:
        """The number of all genes that have a row of their own."""
        return len(self._gene_ids)

    def count(self, lines: list[bytes]) -> None:  # noqa: C901 - function calls would cost more than the work
        """Count the next lines of the table."""
        name, variation = self._columns["Name"], self._columns["VariationID"]
        gene_of, classifications_of, at_of, splits = self._gene, self._said, self._at, self._splits
        genes, profiles, days = self._genes, self._profiles, self._days
        seen, size, tabs_behind = self._seen, len(self._seen), self._tabs_behind
        for row, line in enumerate(lines, self.rows + 1):
            fields = line.split(b"\t", splits)
            try:
                uid = int(fields[variation])
                if uid >= size or uid < 0:
                    size = self._make_room(uid)
                if seen[uid]:
                    continue
                seen[uid] = 1
                key = gene_of(fields)
                found = genes.get(key)
                if found is None:
                    found = self._find_genes(key)
                if not found:
                    continue
                if len(fields) <= splits or fields[-1].count(b"\t") != tabs_behind:
                    raise ValueError("more or fewer fields than columns")  # noqa: TRY301
                classifications = classifications_of(fields)
                profile = profiles.get(classifications) or self._read_profile(classifications)
                at = at_of(fields)
                newest = days.get(at)
                if newest is None:
                    newest = self._read_days(at)
                term = consequence(str(fields[name], "latin-1"))
            except (IndexError, ValueError) as error:
                if line.strip():
                    raise TableError(f"row {row} of the table cannot be read: {error}") from None
                continue
            for tally, counts in found:
                counts[profile] += 1
                tally.consequences[term] += 1
                if newest > tally.newest:  # noqa: PLR1730 - max() would take a tenth of the time
                    tally.newest = newest
        self.rows += len(lines)

    def _make_room(self, uid: int) -> int:
        if not 0 <= uid < _MAX_VARIATION_ID:
            raise ValueError(uid)
        self._seen.extend(bytes(uid + (1 << 20) - len(self._seen)))
        return len(self._seen)

    def _find_genes(self, key: tuple[bytes, ...]) -> _Found:
        gene_id, gene_symbol = (value.decode("utf-8", "replace").strip() for value in key)
        indexes, single_gene = self.requested.find_in_row(gene_id, gene_symbol)
        if len(self._gene_ids) < _MAX_CACHED and gene_id.isdecimal():  # of several genes it is -1
            self._gene_ids.add(gene_id)
        tallies = [self.tallies[index] for index in indexes]
        found = [(of, of.single_gene if single_gene else of.multi_gene) for of in tallies]
        if len(key[1]) <= _MAX_CACHED_KEY_BYTES and len(self._genes) < _MAX_CACHED:
            self._genes[key] = found
        return found

    def _read_profile(self, classifications: tuple[bytes, ...]) -> Profile:
        if max(map(len, classifications)) > _MAX_TERM_BYTES:
            raise ValueError(f"a classification of more than {_MAX_TERM_BYTES:,} bytes")
        if len(self._profiles) >= _MAX_PROFILES:
            raise TableError(f"more than {_MAX_PROFILES:,} different classifications")
        made = aggregate.profile(*(value.decode("utf-8", "replace") for value in classifications))
        self._profiles[classifications] = made
        return made

    def _read_days(self, at: tuple[bytes, ...]) -> int:
        newest = max(aggregate.day(value.decode("utf-8", "replace")) for value in at)
        if len(self._days) < _MAX_CACHED:
            self._days[at] = newest
        return newest
