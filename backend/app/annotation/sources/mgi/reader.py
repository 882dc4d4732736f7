"""Makes the data of genes from MGI's reports."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from app.annotation.sources.keyed import Grouped, ReaderRequest, reading
from app.annotation.sources.mgi.data import MgiData, MgiOrtholog
from app.annotation.sources.mgi.files import OrthologRow, read_genotypes, read_orthologs
from app.annotation.sources.ontology import Ontology, is_lost, read_obo
from app.annotation.upstream.bulk_files.messages import Count, Reading


def read(request: Any, orthologs: Path, genotypes: Path, ontology: Path) -> Reading:
    """Return the data of each requested gene."""
    request = ReaderRequest.of(request)
    mp = read_obo(ontology, "MP")
    rows = Grouped[OrthologRow](request, "entrez_id")
    mutants = Mutants(mp, request.options["organ_terms"])
    # the genes of the ontology: those about whose terms it says something
    defined: set[str] = set()
    for row in read_orthologs(orthologs):
        rows.add(row.gene, row)
        if not mp.names.keys().isdisjoint(row.terms):
            defined.add(row.gene)
        if row.gene in rows.requested:
            mutants.requested.add(row.marker)
    mutants.read(genotypes)
    sizes = [rows.size, mutants.size, Count(len(mp.names), len(defined))]
    return reading([rows], mutants.data, sizes=sizes)


class Mutants:
    """The terms of the organ in which mutants of mouse genes are described.

    Args:
        ontology: the terms.
        roots: the roots of the organ.

    Attributes:
        requested: the mouse genes that count. The terms of others are not kept.
    """

    def __init__(self, ontology: Ontology, roots: Sequence[str]) -> None:
        self.requested: set[str] = set()
        self._names = ontology.names
        self._roots = list(roots)
        self._ontology = ontology
        self._organ = ontology.below(roots)
        self._known = ontology.beside(roots)
        self._terms: dict[str, set[str]] = {}
        self._lost: dict[str, str] = {}
        self._markers: set[str | None] = set()
        self._rows = 0

    @property
    def size(self) -> Count:
        """The size of the file of mutants: its rows, and the number of mouse genes in them."""
        return Count(self._rows, len(self._markers - {None}))

    def read(self, path: Path) -> None:
        """Read the file of mutants.

        Raises:
            UnusableFile: a row has another layout.
        """
        now: dict[str, str | None] = {}
        for term, marker in read_genotypes(path):
            self._rows += 1
            self._markers.add(marker)
            if marker is None or marker not in self.requested:
                continue
            if term not in now:
                now[term] = self._ontology.current(term)
            current = now[term]
            if current is not None and current in self._organ:
                self._terms.setdefault(marker, set()).add(current)
            elif current not in self._known:
                self._lost[marker] = term

    def data(self, rows: Sequence[OrthologRow]) -> MgiData | str:
        """Return the data of a gene with these orthologs, or why it is unknown."""
        symbols = {row.marker: row.symbol for row in rows}
        stated = {term for row in rows for term in row.terms}
        top = {term: self._ontology.current(term) for term in stated}
        lost = [term for term, current in top.items() if current not in self._known]
        lost += [self._lost[marker] for marker in symbols if marker in self._lost]
        if lost:
            return is_lost(min(lost))
        phenotypes = self._named(current for current in top.values() if current)
        organ_terms = self._named(
            term for marker in symbols for term in self._terms.get(marker, ())
        )
        return MgiData(
            orthologs=[
                MgiOrtholog(marker, symbols[marker])
                for marker in sorted(symbols, key=lambda each: int(each.removeprefix("MGI:")))
            ],
            phenotypes=phenotypes,
            organ_phenotype=bool(organ_terms) or not self._organ.isdisjoint(phenotypes),
            organ_terms=organ_terms,
            organ_roots=self._roots,
        )

    def _named(self, terms: Iterable[str]) -> dict[str, str]:
        return {term: self._names[term] for term in sorted(set(terms))}
