"""Reads each gene's number of variants and ClinVar's symbol (``gene_specific_summary.txt``)."""

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from app.annotation.upstream.bulk_files.lines import lines

_MAX_LINE_BYTES = 1 << 14  # bytes; real lines have some 100
_MAX_BYTES = 16 * 1024**2
MAX_ALLELES = 10_000_000
"""Larger numbers for one gene are reduced to this. All of ClinVar has about 4 million variants."""


class Expected:
    """The counts and symbols by NCBI GeneID.

    The first line of the file is prose, and the header is the line that starts with ``#Symbol``. A
    gene has a row for each of its MIM numbers, with equal counts (file of 2021-11-07).
    """

    def __init__(self, rows: Iterable[tuple[str, str, int]] = ()) -> None:
        self._alleles: dict[str, int] = {}
        self._symbol: dict[str, str] = {}
        self._ids: defaultdict[str, set[str]] = defaultdict(set)
        for symbol, entrez_id, alleles in rows:
            if alleles >= self._alleles.get(entrez_id, 0):
                self._alleles[entrez_id] = alleles
                self._symbol[entrez_id] = symbol
            self._ids[symbol].add(entrez_id)

    def __len__(self) -> int:
        """Return how many genes the file has."""
        return len(self._alleles)

    @property
    def with_alleles(self) -> int:
        """The number of genes that have variants by their counts."""
        return sum(alleles > 0 for alleles in self._alleles.values())

    def alleles(self, entrez_id: str | None, symbol: str) -> int:
        """Return how many variants the gene had when the file was made; 0 if the file lacks it."""
        if entrez_id:
            return self._alleles.get(entrez_id, 0)
        return max((self._alleles[each] for each in self._ids.get(symbol, ())), default=0)

    def symbols(self, entrez_id: str | None, symbol: str) -> tuple[str, ...]:
        """Return the symbols that ClinVar may use for the gene, ClinVar's own symbol first.

        ClinVar and HGNC update symbols on different days. The approved symbol is therefore
        included, unless ClinVar uses it for another gene. The result may be empty.
        """
        of_others = entrez_id and self._ids.get(symbol, set()) - {entrez_id}
        own = self._symbol.get(entrez_id or "", symbol)
        if own == symbol:
            return () if of_others and entrez_id not in self._alleles else (symbol,)
        return (own,) if of_others else (own, symbol)


def read_expected(path: Path) -> Expected:
    """Read the file. Columns are identified by name.

    Raises:
        UnusableFile: the file, or a line of it, is too long.
        ValueError: a column is missing, a row has other fields, a count is not a number, or there
            is no row.
    """
    found = lines(path, max_line=_MAX_LINE_BYTES, max_size=_MAX_BYTES, errors="replace")
    for line in found:
        names = line.rstrip("\r\n").removeprefix("#").split("\t")
        if names[0] == "Symbol":
            break
    else:
        raise ValueError("no line that starts with #Symbol")
    try:
        symbol, gene, total = map(names.index, ("Symbol", "GeneID", "Total_alleles"))
    except ValueError as error:
        raise ValueError(f"no such column: {error}") from None
    rows = []
    for line in found:
        fields = line.rstrip("\r\n").split("\t")
        if len(fields) != len(names):
            raise ValueError(f"a row of {len(fields)} fields for {len(names)} columns")
        alleles = min(max(int(fields[total]), 0), MAX_ALLELES)
        rows.append((fields[symbol], fields[gene], alleles))
    if not rows:
        raise ValueError("no gene")
    return Expected(rows)
