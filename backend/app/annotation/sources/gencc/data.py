"""What GenCC says about a gene, and the terms that it uses."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated

from msgspec import Struct

from app.annotation.sources.pictures import Tone
from app.annotation.sources.structure import BY_DEFAULT, MOVES, identified_by, unit

CLASSIFICATIONS = {
    "GENCC:100001": "Definitive",
    "GENCC:100002": "Strong",
    "GENCC:100003": "Moderate",
    "GENCC:100009": "Supportive",
    "GENCC:100004": "Limited",
    "GENCC:100005": "Disputed Evidence",
    "GENCC:100006": "Refuted Evidence",
    "GENCC:100007": "Animal Model Only",
    "GENCC:100008": "No Known Disease Relationship",
}
"""GenCC's terms by their ids, the strongest first.

The order is that of GenCC's own site (ClassificationSeeder.php in
https://github.com/GeneCurationCoalition/gencc-search), which also places Supportive between
Moderate and Limited.
"""

TONES: Mapping[str, Tone] = {
    "Definitive": "green",
    "Strong": "teal",
    "Moderate": "mint",
    "Supportive": "blue",
    "Limited": "amber",
    "Disputed Evidence": "rose",
    "Refuted Evidence": "red",
    "Animal Model Only": "purple",
    "No Known Disease Relationship": "grey",
}
"""The colours of the classifications."""

MODES = frozenset(
    {
        "Autosomal dominant",
        "Autosomal dominant inheritance with maternal imprinting",
        "Autosomal dominant inheritance with paternal imprinting",
        "Autosomal recessive",
        "Digenic inheritance",
        "Mitochondrial",
        "Semidominant",
        "Somatic mosaicism",
        "Unknown",
        "X-linked",
        "X-linked dominant",
        "X-linked recessive",
        "Y-linked inheritance",
    }
)
"""GenCC's terms for modes of inheritance, as far as its files have had them."""


class Submission(Struct, frozen=True):
    """One submitter's classification of one gene-disease relationship."""

    disease: str
    """The name of the disease in MONDO, to which GenCC has mapped the submitter's disease."""

    disease_id: str
    """The MONDO id of this disease."""

    submitter: str
    """GenCC's name of the group that submitted the classification."""

    classification: str
    """GenCC's term for the evidence that variants of the gene cause the disease. From the
    strongest: Definitive, Strong, Moderate, Supportive, Limited, Disputed Evidence, Refuted
    Evidence, Animal Model Only, No Known Disease Relationship."""

    mode_of_inheritance: str | None
    """GenCC's term for the mode of inheritance, such as Autosomal dominant. Null if the submission
    states none."""

    date: Annotated[date | None, MOVES]
    """The day on which the submitter evaluated the relationship, in UTC if the submitter states a
    time. Null if the submission states none."""

    report_url: Annotated[str | None, MOVES]
    """The address of the submitter's report. Null if the submission states none."""


class GenccData(Struct, frozen=True):
    """The gene's submissions in GenCC."""

    strongest_classification: Annotated[str | None, BY_DEFAULT]
    """The strongest classification over all submitters and diseases of the gene. Null if this
    version knows none of the classifications."""

    submissions: Annotated[
        list[Submission], identified_by("disease_id", "mode_of_inheritance", "submitter")
    ]
    """The newest submission of each submitter for each disease and mode of inheritance."""

    superseded: Annotated[int, MOVES, unit("submissions")]
    """The number of submissions that `submissions` leaves out, because the same submitter has a
    newer one for the same disease and mode of inheritance."""

    unknown_terms: dict[str, Annotated[int, unit("occurrences")]]
    """The number of occurrences of each classification or mode of inheritance that this version
    does not know."""
