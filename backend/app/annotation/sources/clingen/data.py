"""What ClinGen says about a gene, and the terms that it uses."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated

from msgspec import Struct

from app.annotation.sources.pictures import Tone
from app.annotation.sources.structure import MOVES, identified_by, unit

CLASSIFICATIONS = (
    "Definitive",
    "Strong",
    "Moderate",
    "Limited",
    "Disputed",
    "Refuted",
    "No Known Disease Relationship",
)
"""The classifications of gene-disease validity, the strongest first.

The terms are those of ClinGen's standard operating procedure, version 11. GenCC, of which ClinGen
is a member, lists its terms in this order, too.
"""

TONES: Mapping[str, Tone] = {
    "Definitive": "green",
    "Strong": "teal",
    "Moderate": "mint",
    "Limited": "amber",
    "Disputed": "rose",
    "Refuted": "red",
    "No Known Disease Relationship": "grey",
}
"""The colours of the classifications."""

MODES = frozenset({"AD", "AR", "XL", "XLD", "XLR", "SD", "MT", "UD", "Other"})
"""The abbreviations of modes of inheritance in ClinGen's files: autosomal dominant and recessive,
X-linked (dominant, recessive), semidominant, mitochondrial, undetermined, and other."""

NOT_EVALUATED = "Not yet evaluated"

SCORES = {
    0: "No evidence available",
    1: "Little evidence for dosage pathogenicity",
    2: "Some evidence for dosage pathogenicity",
    3: "Sufficient evidence for dosage pathogenicity",
    30: "Gene associated with autosomal recessive phenotype",
    40: "Dosage sensitivity unlikely",
}
"""ClinGen's scores of dosage sensitivity, with the words that its file has beside them."""


class Curation(Struct, frozen=True):
    """A classification of one gene-disease relationship by one expert panel."""

    disease: str
    """The name of the disease."""

    disease_id: str
    """The disease's MONDO id."""

    classification: str
    """How well it is established that variants of the gene cause the disease, in ClinGen's words.
    From the strongest: Definitive, Strong, Moderate, Limited, Disputed, Refuted, No Known Disease
    Relationship."""

    mode_of_inheritance: str | None
    """ClinGen's abbreviation of the mode of inheritance: AD and AR are autosomal dominant and
    recessive, XL is X-linked, SD semidominant, MT mitochondrial and UD undetermined."""

    expert_panel: str | None
    """The gene curation expert panel."""

    date: Annotated[date, MOVES]
    """The day of the classification, in UTC."""

    procedure: Annotated[str | None, MOVES]
    """The version of the standard operating procedure that the panel followed, such as SOP11."""

    report_url: Annotated[str | None, MOVES]
    """The page of ClinGen's report."""


class Dosage(Struct, frozen=True):
    """How well it is established that a changed number of copies of the gene causes disease."""

    score: Annotated[int | None, unit("ClinGen dosage score")]
    """ClinGen's score: 0 (no evidence), 1 (little), 2 (some), 3 (sufficient), 30 (the phenotype is
    autosomal recessive) or 40 (dosage sensitivity is unlikely). 30 and 40 are no higher degrees of
    evidence. None if it is not yet evaluated."""

    meaning: str
    """ClinGen's words for the score."""

    disease_ids: list[str]
    """The MONDO ids of the diseases that the score is about; empty if the file names none."""


class ClinGenData(Struct, frozen=True):
    """The gene's curations in ClinGen."""

    strongest_classification: str | None
    """The strongest classification of the gene for any disease; None without a curation of
    gene-disease validity, or if no classification is one of the known terms."""

    validity: Annotated[
        list[Curation], identified_by("disease_id", "mode_of_inheritance", "expert_panel")
    ]
    """All classifications of gene-disease validity. It is empty for a gene that is only curated for
    dosage sensitivity. A disease may occur several times, for example for two modes of
    inheritance."""

    haploinsufficiency: Dosage | None
    """Whether the loss of one copy causes disease; None if the dosage curations do not have the
    gene."""

    triplosensitivity: Dosage | None
    """Whether an additional copy causes disease; None if the dosage curations do not have the
    gene."""

    dosage_date: Annotated[date | None, MOVES]
    """The day on which the dosage sensitivity was last evaluated."""

    unknown_terms: dict[str, Annotated[int, unit("occurrences")]]
    """How often a classification, a mode of inheritance or a score occurs that this version does
    not know."""
