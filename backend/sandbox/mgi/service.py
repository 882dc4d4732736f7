from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import IO, ClassVar, NamedTuple

from sandbox.catalogue import Gene
from sandbox.known import KNOWN_GENES
from sandbox.mgi.terms import KIDNEY, OBSOLETE, SPECIFIC, TERMS, Term, topmost_of
from sandbox.mixing import mix
from sandbox.service import ServedFile, Service

WITHOUT_ORTHOLOG = 6
"""Every sixth synthetic gene has no ortholog."""

_SEVERAL = 20
"""Every twentieth gene has four orthologs, and one of a hundred genes has 76."""

_KNOWN = frozenset(gene.symbol for gene in KNOWN_GENES)
_NAMES = {term.id: term.name for term in TERMS}
_topmost_of = cache(topmost_of)


class Ortholog(NamedTuple):
    """A mouse gene, with the terms of its mutants."""

    id: str
    symbol: str
    terms: tuple[Term, ...]


class Mgi(Service):
    """MGI's reports of orthologs and of mutants, which have no header, and its ontology.

    The folder has no documented limit.
    """

    name = "mgi"
    addresses: ClassVar = {"MGI_FILES_URL": "mgi"}

    def files(self) -> Sequence[ServedFile]:
        """Return the two reports and the ontology."""
        return (
            ServedFile(
                name="mgi.orthologs",
                path="/mgi/HMD_HumanPhenotype.rpt",
                write=_write_orthologs,
                header=False,
                numbers=("2",),
            ),
            ServedFile(
                name="mgi.mutants",
                path="/mgi/MGI_GenePheno.rpt",
                write=_write_mutants,
                header=False,
            ),
            ServedFile(
                name="mgi.ontology",
                path="/mgi/MPheno_OBO.ontology",
                write=self._write_ontology,
                renames="[Term]",
            ),
        )

    def _write_ontology(self, path: Path, genes: Sequence[Gene]) -> None:
        """Write the terms: all of them, or the share that equals the share of the genes."""
        terms = TERMS[: len(TERMS) * len(genes) // max(1, len(self.catalogue.genes))]
        there = {term.id for term in terms}
        with path.open("w", encoding="utf-8", newline="\n") as sink:
            sink.write(
                "format-version: 1.2\ndefault-namespace: MPheno.ontology\nontology: mp\n"
                'remark: "is_a: MP:0000001 in a remark is no relation"\n'
            )
            for term in terms:
                sink.write(f"\n[Term]\nid: {term.id}\nname: {term.name}\n")
                sink.write(f'def: "the definition of {term.name}" [MGI:csmith, PMID:9778510]\n')
                sink.write(f'synonym: "{term.name}: another name" EXACT []\n')
                for above in term.above:
                    if above in there:
                        sink.write(f"is_a: {above} ! {_NAMES[above]}\n")
            for number, name, replacement in OBSOLETE:
                sink.write(f"\n[Term]\nid: {number}\nname: {name}\nis_obsolete: true\n")
                if replacement:
                    sink.write(f"replaced_by: {replacement}\n")
            sink.write("\n[Typedef]\nid: part_of\nname: part_of\nis_transitive: true\n\n")


def orthologs(gene: Gene) -> Iterator[Ortholog]:
    """Yield the orthologs of a gene: usually one. Half of them have no term."""
    known = gene.symbol in _KNOWN
    if not known and gene.index % WITHOUT_ORTHOLOG == WITHOUT_ORTHOLOG - 1:
        return
    several = not known and gene.index % _SEVERAL == 0
    for number in range((76 if gene.index % 2_000 == 0 else 4) if several else 1):
        place = gene.index * 100 + number
        symbol = gene.symbol.capitalize() + (chr(ord("a") + number % 26) if several else "")
        terms = () if not known and mix(3, place) % 2 else tuple(dict.fromkeys(_terms(place)))
        yield Ortholog(f"MGI:{7_000_000 + place}", symbol, terms)


def _terms(place: int) -> Iterator[Term]:
    first = mix(5, place)
    for step in range(2 + first % 12):
        among = KIDNEY if step == 0 and place % 3 == 0 else SPECIFIC
        yield among[(first + step * (1 + first % 7)) % len(among)]


def _write_orthologs(path: Path, genes: Sequence[Gene]) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as sink:
        for gene in genes:
            for ortholog in orthologs(gene):
                tops = {top.id for term in ortholog.terms for top in _topmost_of(term)}
                terms = ", ".join(sorted(tops))
                # a tab follows the last field
                _line(sink, gene.symbol, gene.entrez_id, ortholog.symbol, ortholog.id, terms, "")


def _write_mutants(path: Path, genes: Sequence[Gene]) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as sink:
        for gene in genes:
            for ortholog in orthologs(gene):
                for number, term in enumerate(ortholog.terms):
                    _mutant(sink, ortholog, number, term.id, ortholog.id)
                if ortholog.terms:
                    # a mutant of two genes, whose phenotype belongs to neither
                    _mutant(sink, ortholog, 99, KIDNEY[1].id, f"{ortholog.id}|MGI:97603")


def _mutant(sink: IO[str], ortholog: Ortholog, number: int, term: str, markers: str) -> None:
    allele = f"{ortholog.symbol}<tm{1 + number % 3}Syn>"
    place = int(ortholog.id.removeprefix("MGI:")) * 100 + number
    articles = ("", f"{place}", f"{place}|{place + 1}")[number % 3]
    wild = f"{ortholog.symbol}<+>"
    other, symbols = (allele, allele) if number % 2 else (wild, f"{allele}|{wild}")
    _line(
        sink, f"{allele}/{other}", symbols, f"MGI:{place}", "involves: 129S2/SvPas * C57BL/6", term,
        articles, markers, f"MGI:{place + 7}",
    )  # fmt: skip


def _line(sink: IO[str], *fields: str) -> None:
    sink.write("\t".join(fields) + "\n")
