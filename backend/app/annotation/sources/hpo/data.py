"""What HPO says about a gene."""

from typing import Annotated

import msgspec

from app.annotation.sources.structure import BY_DEFAULT, gain, identified_by


class HpoDisease(msgspec.Struct, frozen=True):
    """A disease that HPO links to the gene."""

    disease_id: str
    """The disease in OMIM, Orphanet (`ORPHA:`) or DECIPHER."""

    disease: str | None
    """The disease's name. None if `phenotype.hpoa` does not describe the disease."""

    mode_of_inheritance_ids: list[str] | None
    """The ids of the disease's modes of inheritance (names are in `HpoData.modes_of_inheritance`).
    An empty list means that HPO states none. None if `phenotype.hpoa` does not describe the
    disease."""

    term_frequencies: dict[str, list[str]]
    """The ids of the disease's terms (names are in `HpoData.terms`), each with its frequencies
    among patients with the disease. There is one for each publication that states one; an empty
    list means that none does. A frequency is `n/m` (n of m patients), a percentage, or one of HPO's
    terms: `HP:0040280` obligate (100 %), `HP:0040281` very frequent (80-99 %), `HP:0040282`
    frequent (30-79 %), `HP:0040283` occasional (5-29 %), `HP:0040284` very rare (1-4 %),
    `HP:0040285` excluded (0 %)."""


class HpoData(msgspec.Struct, frozen=True):
    """The phenotypes of the diseases that HPO links to the gene."""

    diseases: Annotated[list[HpoDisease], identified_by("disease_id")]
    """The diseases, in the order of their ids."""

    modes_of_inheritance: dict[str, str]
    """The modes of inheritance of the diseases: the terms below HP:0000005, with their names."""

    terms: dict[str, str]
    """All other terms of the diseases, with their names: the most specific ones that HPO annotates,
    without the terms above them. An obsolete term is replaced by its successor."""

    organ_terms: Annotated[dict[str, str], gain("gained a phenotype of the organ"), BY_DEFAULT]
    """The terms that are `organ_roots` or below them in the ontology of the same release, with
    their names. A term that was looked for in a disease and never seen (0 of m patients, 0 %, or
    excluded) is left out, unless another disease of the gene has it. Without any, the object is
    empty: no disease of the gene affects the organ as far as HPO knows."""

    organ_roots: list[str]
    """The terms of the setting `HPO_ORGAN_TERMS` under which `organ_terms` was computed."""
