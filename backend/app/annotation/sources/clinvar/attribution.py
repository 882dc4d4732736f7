"""Finds the requested genes that a variant belongs to."""

from collections import defaultdict
from collections.abc import Sequence

import msgspec

_NO_ID = frozenset({"", "-", "-1"})


MAX_GENES = 9
"""A variant of more genes, such as a large copy number, counts for none of them.

Of the genes of such a variant, the table names only those that are curated as dosage-sensitive
("subset of 145 genes: …", "covers 10 genes, none of which …"). The API names all of them, and does
not say which are dosage-sensitive. So the table and the API would give different counts.
"""


class RequestedGene(msgspec.Struct, frozen=True):
    """A gene to count: its NCBI GeneID, if known, and its symbols, ClinVar's own symbol first."""

    entrez_id: str | None
    symbols: tuple[str, ...]


class GeneIndex:
    """Finds genes by id and then by symbol. A gene is returned as its position in the list."""

    def __init__(self, genes: Sequence[RequestedGene]) -> None:
        self._listed = genes
        self._by_id: dict[str, int] = {}
        self._by_symbol: dict[str, int] = {}
        self._other_names: dict[int, str] = {}
        self._of_others: defaultdict[int, set[str]] = defaultdict(set)
        for index, gene in enumerate(genes):
            if gene.entrez_id:
                self._by_id.setdefault(gene.entrez_id, index)
        longest = max((len(gene.symbols) for gene in genes), default=0)
        # ClinVar's symbol of one gene takes precedence over the approved symbol of another
        for place in range(longest):
            for index, gene in enumerate(genes):
                if place < len(gene.symbols):
                    self._by_symbol.setdefault(gene.symbols[place], index)

    def find(self, gene_id: str, symbol: str) -> int | None:
        """Return the gene with this id, or else the gene with this symbol if it has no other id."""
        named = self._by_symbol.get(symbol)
        if gene_id in _NO_ID:
            return named
        index = self._by_id.get(gene_id)
        if index is not None and symbol and symbol not in self._listed[index].symbols:
            self._other_names[index] = symbol
        if named is not None and named != index and self._listed[named].entrez_id:
            self._of_others[named].add(symbol)
            named = None
        return named if index is None else index

    def corrected(self) -> list[RequestedGene] | None:
        """Return the genes with the symbols that ClinVar used; None if it used the expected ones.

        A symbol that ClinVar uses for another gene is removed, and the one that it uses instead is
        added.
        """
        if not self._other_names and not self._of_others:
            return None
        genes = list(self._listed)
        for index in self._other_names.keys() | self._of_others.keys():
            gene = genes[index]
            kept = [name for name in gene.symbols if name not in self._of_others[index]]
            if index in self._other_names:
                kept.append(self._other_names[index])
            genes[index] = RequestedGene(gene.entrez_id, tuple(kept))
        return genes

    def find_in_row(self, gene_id: str, gene_symbol: str) -> tuple[list[int], bool]:
        """Return the genes of a row of the bulk table, and whether the row is about one gene.

        ``GeneID`` is -1 for several genes (README of ``pub/clinvar/tab_delimited``).
        """
        symbols, several = split_symbols(gene_symbol)
        if len(symbols) > MAX_GENES:
            return [], False
        if several:
            found = [self._by_symbol.get(symbol) for symbol in symbols]
        else:
            found = [self.find(gene_id, symbols[0] if symbols else "")]
        return list(dict.fromkeys(index for index in found if index is not None)), not several


def split_symbols(gene_symbol: str) -> tuple[list[str], bool]:
    """Split ``GeneSymbol`` of the bulk table, and tell whether the row is about several genes.

    The column has the form ``A``, ``A;B`` or ``-``. For many genes, it has ``subset of 145 genes:
    A:B`` (the dosage-sensitive ones) or ``covers 10 genes, none of which curated to show dosage
    sensitivity``. These do not name all genes, so no symbol is returned.
    """
    text = gene_symbol.strip()
    if text.startswith(("covers ", "subset of ")) and " genes" in text:
        return [], True
    symbols = (symbol.strip() for symbol in text.split(";"))
    distinct = list(dict.fromkeys(symbol for symbol in symbols if symbol not in {"", "-"}))
    return distinct, len(distinct) > 1
