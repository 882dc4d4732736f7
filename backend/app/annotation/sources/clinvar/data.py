"""The data of ClinVar's answers. `aggregate.Tally.data` makes them."""

from datetime import date
from typing import Annotated

import msgspec

from app.annotation.sources.clinvar import consequence
from app.annotation.sources.structure import BY_DEFAULT, MOVES, gain, keys, unit

Variants = Annotated[int, unit("variants")]
"""A number of variants."""


class Germline(msgspec.Struct, frozen=True):
    """The number of variants in each class of ClinVar's aggregate germline classification.

    Each variant is in exactly one class.
    """

    pathogenic: Annotated[Variants, gain("gained a pathogenic variant"), BY_DEFAULT]
    """Variants classified as "Pathogenic", including "Pathogenic, low penetrance". Those classified
    as "Pathogenic/Likely pathogenic" are not included."""

    pathogenic_or_likely_pathogenic: Variants
    """Variants classified as "Pathogenic/Likely pathogenic"."""

    likely_pathogenic: Variants
    """Variants classified as "Likely pathogenic", including "Likely pathogenic, low penetrance"."""

    conflicting: Variants
    """Variants classified as "Conflicting classifications of pathogenicity" (until 2024:
    "Conflicting interpretations of pathogenicity") or "conflicting data from submitters"."""

    uncertain: Variants
    """Variants classified as "Uncertain significance", including its subclasses VUS-high, VUS-mid
    and VUS-low."""

    likely_benign: Variants
    """Variants classified as "Likely benign"."""

    benign_or_likely_benign: Variants
    """Variants classified as "Benign/Likely benign"."""

    benign: Variants
    """Variants classified as "Benign"."""

    other: Variants
    """All other variants: without a germline classification; with a classification that is not
    about pathogenicity, such as drug response, risk factor or risk allele; with contradictory
    terms; and with terms that this version does not know."""


class ClinVarData(msgspec.Struct, frozen=True):
    """The counts of a gene's variants in ClinVar.

    A variant is an allele. Haplotypes and other combinations are not counted, and neither are
    variants of more than 9 genes.
    """

    variants: Variants
    """The number of variants of the gene: `single_gene` + `multi_gene`."""

    single_gene: Variants
    """Variants that ClinVar assigns to this gene only."""

    multi_gene: Variants
    """Variants that ClinVar assigns to two to nine genes, including this one, such as deletions of
    several genes."""

    germline: Germline
    """The number of variants in each germline class. The classes add up to `variants`."""

    review_status: dict[str, Variants]
    """The number of variants for each of ClinVar's review statuses of the germline classification.
    The keys are ClinVar's terms. Variants without a review status are not counted."""

    molecular_consequence: Annotated[dict[str, Variants], keys(*consequence.TERMS)]
    """The number of variants for each molecular consequence. The consequence is derived from the
    variant's HGVS name and refers to the transcript in this name. Variants whose name does not show
    a consequence are not counted."""

    oncogenicity: dict[str, Variants]
    """The number of variants for each of ClinVar's oncogenicity classifications. The keys are
    ClinVar's terms. Variants without an oncogenicity classification are not counted."""

    clinical_impact: dict[str, Variants]
    """The number of variants for each of ClinVar's classifications of somatic clinical impact. The
    keys are ClinVar's terms. Variants without such a classification are not counted."""

    unknown_terms: dict[str, Variants]
    """The number of variants for each germline classification that this version does not know.
    These variants are counted in `germline.other`."""

    last_evaluated: Annotated[date | None, MOVES]
    """The latest date on which any classification of any of the variants was evaluated. Null if
    ClinVar states no date."""
