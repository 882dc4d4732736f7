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
    """The MONDO id of the disease."""

    classification: str
    """ClinGen's classification of the evidence that variants of the gene cause the disease. From
    the strongest: Definitive, Strong, Moderate, Limited, Disputed, Refuted, No Known Disease
    Relationship."""

    mode_of_inheritance: str | None
    """ClinGen's abbreviation of the mode of inheritance: AD (autosomal dominant), AR (autosomal
    recessive), XL (X-linked), XLD and XLR (X-linked dominant and recessive), SD (semidominant), MT
    (mitochondrial), UD (undetermined) or Other. Null if ClinGen states none."""

    expert_panel: str | None
    """The expert panel that made the classification. Null if ClinGen states none."""

    date: Annotated[date, MOVES]
    """The day of the classification, in UTC."""

    procedure: Annotated[str | None, MOVES]
    """The version of ClinGen's standard operating procedure that the panel followed, such as SOP11.
    Null if ClinGen states none."""

    report_url: Annotated[str | None, MOVES]
    """The address of ClinGen's report. Null if ClinGen states none."""


class Dosage(Struct, frozen=True):
    """ClinGen's evidence that a change in the number of copies of the gene causes disease."""

    score: Annotated[int | None, unit("ClinGen dosage score")]
    """ClinGen's dosage score: 0 (no evidence), 1 (little evidence), 2 (some evidence), 3
    (sufficient evidence), 30 (associated with an autosomal recessive phenotype) or 40 (dosage
    sensitivity unlikely). 30 and 40 are categories: they do not mean stronger evidence than 3. Null
    if ClinGen has not yet evaluated it."""

    meaning: str
    """ClinGen's description of the score."""

    disease_ids: list[str]
    """The MONDO ids of the diseases to which the score refers. Empty if ClinGen names none."""


class ClinGenData(Struct, frozen=True):
    """The gene's curations in ClinGen."""

    strongest_classification: str | None
    """The strongest classification of gene-disease validity over all diseases of the gene. Null if
    the gene has no such classification, or only ones that this version does not know."""

    validity: Annotated[
        list[Curation], identified_by("disease_id", "mode_of_inheritance", "expert_panel")
    ]
    """All classifications of gene-disease validity. A disease may occur several times, for example
    for two modes of inheritance. Empty for a gene that ClinGen has curated for dosage sensitivity
    only."""

    haploinsufficiency: Dosage | None
    """Whether the loss of one copy of the gene causes disease. Null if ClinGen has not curated the
    dosage of the gene."""

    triplosensitivity: Dosage | None
    """Whether an additional copy of the gene causes disease. Null if ClinGen has not curated the
    dosage of the gene."""

    dosage_date: Annotated[date | None, MOVES]
    """The day on which ClinGen last evaluated the dosage sensitivity. Null if it has not."""

    unknown_terms: dict[str, Annotated[int, unit("occurrences")]]
    """The number of occurrences of each classification, mode of inheritance or score that this
    version does not know."""
