"""Which of the wanted genes a variant belongs to."""

from collections.abc import Sequence

import msgspec


class WantedGene(msgspec.Struct, frozen=True):
    """A gene to count: NCBI's GeneID, if known, and its symbols, ClinVar's own first."""

    entrez_id: str | None
    symbols: tuple[str, ...]


class Wanted:
    """Finds genes by id first and by symbol second; says which by their place in the list."""

    def __init__(self, genes: Sequence[WantedGene]) -> None:
        self._by_id: dict[str, int] = {}
        self._by_symbol: dict[str, int] = {}
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
        """Find the gene that has the id, or else the symbol."""
        index = self._by_id.get(gene_id)
        return self._by_symbol.get(symbol) if index is None else index

    def find_in_row(self, gene_id: str, gene_symbol: str) -> tuple[list[int], bool]:
        """Find the genes of a row of the bulk table, and whether it is about a single gene.

        ``GeneID`` is -1 when there are several (README of ``pub/clinvar/tab_delimited``).
        """
        symbols, several = split_symbols(gene_symbol)
        if several:
            found = [self._by_symbol.get(symbol) for symbol in symbols]
        else:
            found = [self.find(gene_id, symbols[0] if symbols else "")]
        return list(dict.fromkeys(index for index in found if index is not None)), not several


def split_symbols(gene_symbol: str) -> tuple[list[str], bool]:
    """Split ``GeneSymbol`` of the bulk table; say whether the row is about several genes.

    It is ``A``, ``A;B``, ``-``, ``subset of 145 genes: A:B`` (the dosage-sensitive ones of many)
    or ``covers 10 genes, none of which curated to show dosage sensitivity``, which names none.
    """
    text = gene_symbol.strip()
    if text.startswith("covers ") and " genes" in text:
        return [], True
    head, _, named = text.partition(":")
    several = head.startswith("subset of ") and " genes" in head
    if several:
        text = named.replace(":", ";").replace(",", ";")
    symbols = (symbol.strip() for symbol in text.split(";"))
    distinct = list(dict.fromkeys(symbol for symbol in symbols if symbol not in {"", "-"}))
    return distinct, several or len(distinct) > 1
