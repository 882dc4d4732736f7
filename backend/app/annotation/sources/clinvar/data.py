"""The data of ClinVar's answers. `aggregate.Tally.data` makes them."""

from datetime import date
from typing import Annotated

import msgspec

from app.annotation.sources.clinvar import consequence
from app.annotation.sources.structure import BY_DEFAULT, MOVES, gain, keys, unit

Variants = Annotated[int, unit("variants")]
"""A number of variants."""


class Germline(msgspec.Struct, frozen=True):
    """Variants by the class of their aggregate germline classification; see `germline`."""

    pathogenic: Annotated[Variants, gain("gained a pathogenic variant"), BY_DEFAULT]
    """Pathogenic, with and without low penetrance."""

    pathogenic_or_likely_pathogenic: Variants
    """ClinVar's class "Pathogenic/Likely pathogenic"."""

    likely_pathogenic: Variants
    """Likely pathogenic, with and without low penetrance."""

    conflicting: Variants
    """Conflicting classifications of pathogenicity, whatever follows them, and conflicting data
    from submitters."""

    uncertain: Variants
    """Uncertain significance, with its subclasses VUS-high, VUS-mid and VUS-low."""

    likely_benign: Variants
    """Likely benign."""

    benign_or_likely_benign: Variants
    """ClinVar's class "Benign/Likely benign"."""

    benign: Variants
    """Benign."""

    other: Variants
    """Everything else: no classification, drug response, risk factors and risk alleles alone, terms
    that exclude each other, and terms that this version does not know."""


class ClinVarData(msgspec.Struct, frozen=True):
    """The counts of a gene's variants in ClinVar.

    A variant is an allele. Haplotypes and other combinations are not counted, and neither are
    variants of more than 9 genes.
    """

    variants: Variants
    """The number of variants: `single_gene` + `multi_gene`."""

    single_gene: Variants
    """Variants that concern this gene only."""

    multi_gene: Variants
    """Variants that concern other genes, too, such as deletions of several genes."""

    germline: Germline
    """Variants by their germline class. The classes add up to `variants`."""

    review_status: dict[str, Variants]
    """Variants by ClinVar's review status of the germline classification, in ClinVar's words."""

    molecular_consequence: Annotated[dict[str, Variants], keys(*consequence.TERMS)]
    """Variants by the consequence on the transcript that ClinVar chose for the variant's name. It
    is derived from this name. Variants whose name does not tell it are left out."""

    oncogenicity: dict[str, Variants]
    """Variants by their oncogenicity, in ClinVar's words. Variants without one are left out."""

    clinical_impact: dict[str, Variants]
    """Variants by their somatic clinical impact, in ClinVar's words. Variants without one are left
    out."""

    unknown_terms: dict[str, Variants]
    """Variants by germline classifications that this version does not know. They count as
    other."""

    last_evaluated: Annotated[date | None, MOVES]
    """The newest date on which one of the variants was evaluated. None if ClinVar states
    no date."""
