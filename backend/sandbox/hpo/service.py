import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any, ClassVar, NamedTuple

from sandbox.call import Call, Reply
from sandbox.catalogue import Gene
from sandbox.hpo.terms import MODES, OBSOLETE, PHENOTYPES, TERMS, Term
from sandbox.known import KNOWN_GENES
from sandbox.mixing import mix
from sandbox.service import Endpoint, ServedFile, Service

VERSION = "2025-10-22"

WITHOUT_ROWS = 4
"""Every fourth synthetic gene has no disease in HPO."""

_FIRST_OF_KIDNEY = next(place for place, term in enumerate(PHENOTYPES) if term.id == "HP:0000077")
_RELEASE = f"/hpo-release/v{VERSION}"
_OBO = "http://purl.obolibrary.org/obo/"
_KNOWN = frozenset(gene.symbol for gene in KNOWN_GENES)
_FREQUENCIES = ("-", "3/3", "HP:0040282", "11/14", "-", "12.5%", "HP:0040281", "0/6", "HP:0040283")
_GENE_COLUMNS = (
    "ncbi_gene_id", "gene_symbol", "hpo_id", "hpo_name", "frequency", "disease_id",
)  # fmt: skip
_DISEASE_COLUMNS = (
    "database_id", "disease_name", "qualifier", "hpo_id", "reference", "evidence", "onset",
    "frequency", "sex", "modifier", "aspect", "biocuration",
)  # fmt: skip


class Disease(NamedTuple):
    """A disease of a gene, with its mode of inheritance, its terms and their frequencies."""

    id: str
    name: str
    mode: Term
    terms: tuple[tuple[Term, str], ...]


class Hpo(Service):
    """HPO's tables and its ontology, behind permanent addresses that redirect to a release.

    The real addresses redirect twice, to GitHub and to its storage. They have no documented limit.
    """

    name = "hpo"
    addresses: ClassVar = {"HPO_FILES_URL": "hpo"}

    def endpoints(self) -> Sequence[Endpoint]:
        """Return the permanent addresses."""
        return (
            Endpoint(
                name="hpo.permanent",
                path="/hpo/hp/hpoa/{name}",
                answer=_redirect("/hpo-latest"),
                budget="files",
            ),
            Endpoint(
                name="hpo.latest",
                path="/hpo-latest/{name}",
                answer=_redirect(_RELEASE),
                budget="files",
            ),
        )

    def files(self) -> Sequence[ServedFile]:
        """Return the two tables and the ontology."""
        return (
            ServedFile(
                name="hpo.annotations",
                path=f"{_RELEASE}/phenotype.hpoa",
                write=_write_diseases,
                renames="hpo_id",
            ),
            ServedFile(
                name="hpo.genes",
                path=f"{_RELEASE}/genes_to_phenotype.txt",
                write=_write_genes,
                renames="hpo_id",
                numbers=("frequency",),
            ),
            ServedFile(
                name="hpo.ontology",
                path=f"{_RELEASE}/hp.json",
                write=self._write_ontology,
                renames="is_a",
            ),
        )

    def _write_ontology(self, path: Path, genes: Sequence[Gene]) -> None:
        """Write the terms: all of them, or the share that equals the share of the genes."""
        terms = TERMS[: len(TERMS) * len(genes) // max(1, len(self.catalogue.genes))]
        with path.open("w", encoding="utf-8") as sink:
            json.dump({"graphs": [_graph(terms)]}, sink, indent=1, ensure_ascii=False)


def diseases(gene: Gene) -> Iterator[Disease]:
    """Yield the diseases of a gene: none, one or two."""
    if gene.symbol not in _KNOWN and gene.index % WITHOUT_ROWS == WITHOUT_ROWS - 1:
        return
    for number in range(1 + gene.index % 2):
        place = gene.index * 2 + number
        second = number == 1
        yield Disease(
            id=f"ORPHA:{900_000 + place}" if second else f"OMIM:{700_000 + place}",
            # with a comma, a quote and non-ASCII letters, like real names
            name=f'{gene.symbol}-related "Sjögren-like" disorder, type {number + 1}',
            mode=MODES[place % len(MODES)],
            terms=tuple(_terms(place)),
        )


def _terms(place: int) -> Iterator[tuple[Term, str]]:
    first = mix(7, place)
    for step in range(5 + first % 15):
        # every other disease begins with terms of the kidney
        start = first % len(PHENOTYPES) if place % 2 else _FIRST_OF_KIDNEY
        term = PHENOTYPES[(start + step * (1 + first % 5)) % len(PHENOTYPES)]
        yield term, _FREQUENCIES[(first + step) % len(_FREQUENCIES)]


def _redirect(folder: str) -> Callable[[Call], Any]:
    async def answer(call: Call) -> Reply:
        call.meet_fault(lambda _: False)
        address = f"http://{call.headers['host']}{folder}/{call.values['name']}"
        return Reply(b"", 302, "text/plain", {"Location": address})

    return answer


def _write_genes(path: Path, genes: Sequence[Gene]) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as sink:
        _line(sink, _GENE_COLUMNS)
        for gene in genes:
            for disease in diseases(gene):
                _line(sink, (gene.entrez_id, gene.symbol, *disease.mode[:2], "-", disease.id))
                for term, frequency in disease.terms:
                    _line(sink, (gene.entrez_id, gene.symbol, *term[:2], frequency, disease.id))


def _write_diseases(path: Path, genes: Sequence[Gene]) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as sink:
        sink.write(
            '#description: "HPO annotations for rare diseases [8362: OMIM; 4283 ORPHANET]"\n'
            f"#version: {VERSION}\n"
            "#tracker: https://github.com/obophenotype/human-phenotype-ontology/issues\n"
            f"#hpo-version: {_OBO}hp/releases/{VERSION}/hp.json\n"
        )
        _line(sink, _DISEASE_COLUMNS)
        for gene in genes:
            for disease in diseases(gene):
                _annotation(sink, disease, disease.mode, aspect="I")
                _annotation(sink, disease, PHENOTYPES[-1], qualifier="NOT")
                for term, frequency in disease.terms:
                    stated = "" if frequency == "-" else frequency
                    _annotation(sink, disease, term, frequency=stated)


def _annotation(
    sink: IO[str],
    disease: Disease,
    term: Term,
    *,
    qualifier: str = "",
    frequency: str = "",
    aspect: str = "P",
) -> None:
    said = (disease.id, disease.name, qualifier, term.id, disease.id, "IEA", "", frequency)
    _line(sink, (*said, "", "", aspect, f"HPO:iea[{VERSION}]"))


def _line(sink: IO[str], fields: Sequence[str]) -> None:
    sink.write("\t".join(fields) + "\n")


def _graph(terms: Sequence[Term]) -> dict[str, Any]:
    there = {term.id for term in terms}
    nodes = [_node(term.id, term.name) for term in terms]
    for number, name, replacement in OBSOLETE:
        replaced = [{"pred": f"{_OBO}IAO_0100001", "val": replacement}] if replacement else []
        nodes.append(_node(number, name, deprecated=True, basicPropertyValues=replaced))
    # a property and a term of another ontology
    part_of = f"{_OBO}BFO_0000050"
    nodes += [
        {"id": part_of, "type": "PROPERTY", "lbl": "part of"},
        _node("UBERON:0002113", "kidney"),
    ]
    edges = [
        {"sub": _address(term.id), "pred": "is_a", "obj": _address(above)}
        for term in terms
        for above in term.above
        if above in there
    ]
    edges.append({"sub": _address("UBERON:0002113"), "pred": part_of, "obj": nodes[0]["id"]})
    return {
        "id": f"{_OBO}hp.json",
        "meta": {"version": f"{_OBO}hp/releases/{VERSION}/hp.json"},
        "nodes": nodes,
        "edges": edges,
    }


def _node(term: str, name: str, **meta: Any) -> dict[str, Any]:
    definition = {"val": f"The definition of {name}.", "xrefs": ["HPO:probinson"]}
    return {
        "id": _address(term),
        "lbl": name,
        "type": "CLASS",
        "meta": {"definition": definition, **meta},
    }


def _address(term: str) -> str:
    return _OBO + term.replace(":", "_")
