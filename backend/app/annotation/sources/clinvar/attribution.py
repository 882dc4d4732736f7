"""Which of the wanted genes a variant belongs to."""

from collections import defaultdict
from collections.abc import Sequence

import msgspec

_NO_ID = frozenset({"", "-", "-1"})


MOST_GENES = 9
"""A variant of more genes, a large copy number, counts for none of them.

The table names the genes of such a variant only as far as they are curated to be sensitive to
dosage ("subset of 145 genes: …", "covers 10 genes, none of which …"), and the API names all of
them, without saying which are.
"""


class WantedGene(msgspec.Struct, frozen=True):
    """A gene to count: NCBI's GeneID, if known, and its symbols, ClinVar's own first."""

    entrez_id: str | None
    symbols: tuple[str, ...]


class Wanted:
    """Finds genes by id first and by symbol second; says which by their place in the list."""

    def __init__(self, genes: Sequence[WantedGene]) -> None:
        self._listed = genes
        self._by_id: dict[str, int] = {}
        self._by_symbol: dict[str, int] = {}
        self._other_names: dict[int, str] = {}
        self._of_others: defaultdict[int, set[str]] = defaultdict(set)
        for index, gene in enumerate(genes):
            if gene.entrez_id:
                self._by_id.setdefault(gene.entrez_id, index)
        longest = max((len(gene.symbols) for gene in genes), default=0)
        # ClinVar's symbol of one gene comes before the approved symbol of another
        for place in range(longest):
            for index, gene in enumerate(genes):
                if place < len(gene.symbols):
                    self._by_symbol.setdefault(gene.symbols[place], index)

    def find(self, gene_id: str, symbol: str) -> int | None:
        """Find the gene that has the id; by symbol only one that does not have another id."""
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

    def corrected(self) -> list[WantedGene] | None:
        """Return the genes by the symbols that ClinVar was seen to use; None if it uses ours.

        A symbol that it uses for another gene is taken out, and one that it uses instead added.
        """
        if not self._other_names and not self._of_others:
            return None
        genes = list(self._listed)
        for index in self._other_names.keys() | self._of_others.keys():
            gene = genes[index]
            kept = [name for name in gene.symbols if name not in self._of_others[index]]
            if index in self._other_names:
                kept.append(self._other_names[index])
            genes[index] = WantedGene(gene.entrez_id, tuple(kept))
        return genes

    def find_in_row(self, gene_id: str, gene_symbol: str) -> tuple[list[int], bool]:
        """Find the genes of a row of the bulk table, and whether it is about a single gene.

        ``GeneID`` is -1 when there are several (README of ``pub/clinvar/tab_delimited``).
        """
        symbols, several = split_symbols(gene_symbol)
        if len(symbols) > MOST_GENES:
            return [], False
        if several:
            found = [self._by_symbol.get(symbol) for symbol in symbols]
        else:
            found = [self.find(gene_id, symbols[0] if symbols else "")]
        return list(dict.fromkeys(index for index in found if index is not None)), not several


def split_symbols(gene_symbol: str) -> tuple[list[str], bool]:
    """Split ``GeneSymbol`` of the bulk table; say whether the row is about several genes.

    It is ``A``, ``A;B`` or ``-``. Of many genes, ``subset of 145 genes: A:B`` (the
    dosage-sensitive ones) and ``covers 10 genes, none of which curated to show dosage
    sensitivity`` do not name all, and so none is given.
    """
    text = gene_symbol.strip()
    if text.startswith(("covers ", "subset of ")) and " genes" in text:
        return [], True
    symbols = (symbol.strip() for symbol in text.split(";"))
    distinct = list(dict.fromkeys(symbol for symbol in symbols if symbol not in {"", "-"}))
    return distinct, len(distinct) > 1
