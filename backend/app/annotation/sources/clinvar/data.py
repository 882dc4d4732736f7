"""The data of ClinVar's answers. `aggregate.Tally.data` makes them."""

import msgspec


class Germline(msgspec.Struct, frozen=True):
    """Variants by the class of their aggregate germline classification; see `germline`."""

    pathogenic: int
    """Pathogenic, with and without low penetrance."""

    pathogenic_or_likely_pathogenic: int
    """ClinVar's class "Pathogenic/Likely pathogenic"."""

    likely_pathogenic: int
    """Likely pathogenic, with and without low penetrance."""

    conflicting: int
    """Conflicting classifications of pathogenicity, whatever follows them, and conflicting data
    from submitters."""

    uncertain: int
    """Uncertain significance, with its subclasses VUS-high, VUS-mid and VUS-low."""

    likely_benign: int
    """Likely benign."""

    benign_or_likely_benign: int
    """ClinVar's class "Benign/Likely benign"."""

    benign: int
    """Benign."""

    other: int
    """Everything else: no classification, drug response, risk factors and risk alleles alone, terms
    that exclude each other, and terms that this version does not know."""


class ClinVarData(msgspec.Struct, frozen=True):
    """The counts of a gene's variants in ClinVar.

    A variant is an allele. Haplotypes and other combinations are not counted, and neither are
    variants of more than 9 genes.
    """

    variants: int
    """The number of variants: `single_gene` + `multi_gene`."""

    single_gene: int
    """Variants that concern this gene only."""

    multi_gene: int
    """Variants that concern other genes, too, such as deletions of several genes."""

    germline: Germline
    """Variants by their germline class. The classes add up to `variants`."""

    review_status: dict[str, int]
    """Variants by ClinVar's review status of the germline classification, in ClinVar's words."""

    molecular_consequence: dict[str, int]
    """Variants by the consequence on the transcript that ClinVar chose for the variant's name. It
    is derived from this name. Variants whose name does not tell it are left out."""

    oncogenicity: dict[str, int]
    """Variants by their oncogenicity, in ClinVar's words. Variants without one are left out."""

    clinical_impact: dict[str, int]
    """Variants by their somatic clinical impact, in ClinVar's words. Variants without one are left
    out."""

    unknown_terms: dict[str, int]
    """Variants by germline classifications that this version does not know. They count as
    other."""

    last_evaluated: str | None
    """The newest date on which one of the variants was evaluated, as `YYYY-MM-DD`. None if ClinVar
    states no date."""
