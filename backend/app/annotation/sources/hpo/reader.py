"""Makes the data of genes from HPO's files."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from app.annotation.sources.hpo.data import HpoData, HpoDisease
from app.annotation.sources.hpo.files import (
    Annotation,
    Disease,
    is_never,
    read_annotations,
    read_diseases,
    read_version,
)
from app.annotation.sources.keyed import Grouped, ReaderRequest, reading
from app.annotation.sources.ontology import Ontology, is_lost, read_obographs
from app.annotation.upstream.bulk_files.lines import UnusableFile
from app.annotation.upstream.bulk_files.messages import Count, Reading

MODE_OF_INHERITANCE = "HP:0000005"

MAX_NAMELESS_SHARE = 0.05
"""The share of the genes' diseases that `phenotype.hpoa` may lack. Both files are made from the
same annotations; with more, one of them is not whole."""


def read(request: Any, hpoa: Path, genes_to_phenotype: Path, hp_json: Path) -> Reading:
    """Return the data of each requested gene."""
    request = ReaderRequest.of(request)
    ontology = read_obographs(hp_json, "HP")
    version = read_version(hpoa)
    if ontology.release != version.ontology:
        raise UnusableFile(
            f"{hpoa.name} has terms of the ontology of {version.ontology}, and {hp_json.name} is of"
            f" {ontology.release or 'a day that it does not state'}"
        )
    diseases, hpoa_rows = read_diseases(hpoa)
    rows = Grouped[Annotation](request, "entrez_id")
    linked: set[str] = set()
    # the genes of the other two files: those about whose diseases, and terms, they say something
    described: set[str] = set()
    defined: set[str] = set()
    for row in read_annotations(genes_to_phenotype):
        rows.add(row.gene, row)
        linked.add(row.disease)
        if row.disease in diseases:
            described.add(row.gene)
        if row.term in ontology.names:
            defined.add(row.gene)
    nameless = linked - diseases.keys()
    if len(nameless) > len(linked) * MAX_NAMELESS_SHARE:
        raise UnusableFile(
            f"{hpoa.name} lacks {len(nameless):,} of {len(linked):,} diseases of"
            f" {genes_to_phenotype.name}, such as {min(nameless)}"
        )
    sizes = [
        Count(hpoa_rows, len(described)),
        rows.size,
        Count(len(ontology.names), len(defined)),
    ]
    maker = _maker(ontology, diseases, request.options["organ_terms"])
    return reading([rows], maker, sizes=sizes, release=version.name)


def _maker(
    ontology: Ontology, diseases: dict[str, Disease], roots: Sequence[str]
) -> Callable[[Sequence[Annotation]], HpoData | str]:
    """Return the function that makes the data of a gene from its rows."""
    organ = ontology.below(roots)
    modes = ontology.below([MODE_OF_INHERITANCE])
    known = ontology.beside([*roots, MODE_OF_INHERITANCE])

    def make(rows: Sequence[Annotation]) -> HpoData | str:
        linked = {row.disease for row in rows}
        stated = {row.term for row in rows}
        for key in linked & diseases.keys():
            stated |= diseases[key].inheritance
        terms = {term: ontology.current(term) for term in stated}
        if lost := sorted(term for term, now in terms.items() if now not in known):
            return is_lost(lost[0])
        of: dict[str, dict[str, list[str]]] = {key: {} for key in linked}
        inherited: dict[str, set[str]] = {key: set() for key in linked}
        present: set[str] = set()
        for row in rows:
            term = terms[row.term] or ""
            if term in modes:
                inherited[row.disease].add(term)
                continue
            frequencies = of[row.disease].setdefault(term, [])
            if row.frequency is not None:
                frequencies.append(row.frequency)
            if row.frequency is None or not is_never(row.frequency):
                present.add(term)
        described = []
        for key in sorted(linked):
            disease = diseases.get(key)
            if disease is not None:
                inherited[key] |= {terms[term] or "" for term in disease.inheritance}
            described.append(
                HpoDisease(
                    disease_id=key,
                    disease=None if disease is None else disease.name,
                    mode_of_inheritance_ids=(
                        None if disease is None and not inherited[key] else sorted(inherited[key])
                    ),
                    term_frequencies=dict(sorted(of[key].items())),
                )
            )
        named = ontology.names
        return HpoData(
            diseases=described,
            modes_of_inheritance={
                term: named[term] for term in sorted(set().union(*inherited.values()))
            },
            terms={term: named[term] for term in sorted(set().union(*of.values()))},
            organ_terms={term: named[term] for term in sorted(present & organ)},
            organ_roots=list(roots),
        )

    return make
