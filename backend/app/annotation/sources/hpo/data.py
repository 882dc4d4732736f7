"""What HPO says about a gene."""

from typing import Annotated

import msgspec

from app.annotation.sources.structure import BY_DEFAULT, gain, identified_by


class HpoDisease(msgspec.Struct, frozen=True):
    """A disease that HPO links to the gene."""

    disease_id: str
    """The id of the disease in OMIM (`OMIM:`), Orphanet (`ORPHA:`) or DECIPHER (`DECIPHER:`)."""

    disease: str | None
    """The name of the disease. Null if `phenotype.hpoa` does not describe the disease."""

    mode_of_inheritance_ids: list[str] | None
    """The HPO ids of the disease's modes of inheritance. Their names are in
    `modes_of_inheritance` of the gene. Empty if HPO states none; null if `phenotype.hpoa` does
    not describe the disease."""

    term_frequencies: dict[str, list[str]]
    """The HPO ids of the disease's phenotypes, each with its frequencies among patients with the
    disease. The names of the ids are in `terms` of the gene. There is one frequency for each
    publication that states one, so the list may be empty. A frequency is `n/m` (n of m patients), a
    percentage, or one of HPO's terms: `HP:0040280` obligate (100 %), `HP:0040281` very frequent
    (80-99 %), `HP:0040282` frequent (30-79 %), `HP:0040283` occasional (5-29 %), `HP:0040284` very
    rare (1-4 %), `HP:0040285` excluded (0 %)."""


class HpoData(msgspec.Struct, frozen=True):
    """The diseases that HPO links to the gene, and their phenotypes."""

    diseases: Annotated[list[HpoDisease], identified_by("disease_id")]
    """The diseases that HPO links to the gene, sorted by id."""

    modes_of_inheritance: dict[str, str]
    """The modes of inheritance of all diseases: HPO ids (the descendants of HP:0000005) with their
    names."""

    terms: dict[str, str]
    """The phenotypes of all diseases: HPO ids with their names. The terms are those that HPO
    annotates, without their ancestors in the ontology. An obsolete term is replaced by its
    successor."""

    organ_terms: Annotated[dict[str, str], gain("gained a phenotype of the organ"), BY_DEFAULT]
    """The phenotypes that concern the organ: those among `terms` that are `organ_roots` or their
    descendants, as HPO ids with their names. A phenotype that HPO marks as not observed in a
    disease (0 of m patients, 0 %, or excluded) does not count for this disease. Empty if HPO lists
    no phenotype of the organ for any disease of the gene."""

    organ_roots: list[str]
    """The HPO ids that defined the organ when `organ_terms` was computed, from the setting
    `HPO_ORGAN_TERMS`. By default they mean the kidney and the urinary system."""
