"""ClinVar's words for what a germline variant means, sorted into classes.

The words are of ClinVar's page "Classifications in ClinVar"
(https://www.ncbi.nlm.nih.gov/clinvar/docs/clinsig/), and of the values that the column
``ClinicalSignificance`` of ``variant_summary.txt`` has had since 2021, some of which the page does
not list: "conflicting data from submitters", "association not found", "confers sensitivity" and
the two that begin with "no classification". The subclasses of uncertain significance came in
January 2026 (https://github.com/Clinical-Genomics/scout/issues/5987); the table has them alone and
as "Uncertain significance/VUS-high".
"""

import re
from functools import lru_cache

CLASSES = (
    "pathogenic",
    "pathogenic_or_likely_pathogenic",
    "likely_pathogenic",
    "conflicting",
    "uncertain",
    "likely_benign",
    "benign_or_likely_benign",
    "benign",
    "other",
)

# a shade of a term has a comma in it; until 2022 a comma also stood where a semicolon does now
_BETWEEN = re.compile(r"[;/]|,(?! *low penetrance)")

_TERMS: dict[str, str | None] = {
    "pathogenic": "pathogenic",
    "pathogenic, low penetrance": "pathogenic",
    "likely pathogenic": "likely_pathogenic",
    "likely pathogenic, low penetrance": "likely_pathogenic",
    "uncertain significance": "uncertain",
    "vus-high": "uncertain",
    "vus-mid": "uncertain",
    "vus-low": "uncertain",
    "likely benign": "likely_benign",
    "benign": "benign",
    "conflicting classifications of pathogenicity": "conflicting",
    "conflicting interpretations of pathogenicity": "conflicting",  # until 2024
    "conflicting data from submitters": "conflicting",
    # of something else than pathogenicity
    "affects": None,
    "association": None,
    "association not found": None,
    "confers sensitivity": None,
    "drug response": None,
    "established risk allele": None,
    "likely risk allele": None,
    "uncertain risk allele": None,
    "risk factor": None,
    "protective": None,
    "other": None,
}
_NO_CLASSIFICATION = frozenset(
    {
        "",
        "-",
        "not provided",
        "no classification provided",
        "no classification for the single variant",
        "no classification for the individual variant",
        "no classifications from unflagged records",
        "no interpretation for the single variant",  # until 2024
        "no interpretation for the individual variant",
    }
)
_PAIRS = {
    frozenset({"pathogenic", "likely_pathogenic"}): "pathogenic_or_likely_pathogenic",
    frozenset({"benign", "likely_benign"}): "benign_or_likely_benign",
}


@lru_cache(maxsize=4096)
def germline_class(text: str) -> str:
    """Sort an aggregate germline classification into one of :data:`CLASSES`.

    - "Conflicting classifications of pathogenicity" (until 2024 "Conflicting interpretations …")
      and "conflicting data from submitters" are conflicting, whatever follows them.
    - "Pathogenic/Likely pathogenic" and "Benign/Likely benign" are classes of their own.
    - "…, low penetrance" counts with its term, and VUS-high, VUS-mid and VUS-low are uncertain,
      as each is a class of its own in ClinVar and a shade of that term.
    - What is said beside a term of something else than pathogenicity ("; drug response", "/Likely
      risk allele") does not change its class.
    - All else is other: terms that exclude each other ("Uncertain significance;
      Pathogenic/Likely pathogenic"), "not provided", "drug response", "risk factor", risk alleles
      alone, and whatever has a term that is not known here (:func:`is_known`). So is a variant
      that has only a clinical impact or an oncogenicity: the classes add up to all variants.
    """
    if not is_known(text):
        return "other"
    classes = frozenset(found for term in _terms(text) if (found := _TERMS.get(term)) is not None)
    if "conflicting" in classes:
        return "conflicting"
    if len(classes) == 1:
        return next(iter(classes))
    return _PAIRS.get(classes, "other")


@lru_cache(maxsize=4096)
def is_known(text: str) -> bool:
    """Whether all terms of a classification are known here."""
    return all(term in _TERMS or not says_something(term) for term in _terms(text))


def says_something(text: str) -> bool:
    """Whether a classification says anything of its variant.

    An allele that was only submitted as a part of a haplotype or genotype has "no classification
    for the single variant", in each of the three classifications.
    """
    return text.strip().lower() not in _NO_CLASSIFICATION


def _terms(text: str) -> list[str]:
    return [" ".join(term.split()) for term in _BETWEEN.split(text.lower())]
