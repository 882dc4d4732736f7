"""Sorts ClinVar's terms for the classification of a germline variant into classes.

The terms are those of ClinVar's page "Classifications in ClinVar"
(https://www.ncbi.nlm.nih.gov/clinvar/docs/clinsig/), and those that the column
``ClinicalSignificance`` of ``variant_summary.txt`` has had since 2021. The page does not list some
of the latter: "conflicting data from submitters", "association not found", "confers sensitivity"
and the two that begin with "no classification". The subclasses of uncertain significance exist
since January 2026 (https://github.com/Clinical-Genomics/scout/issues/5987). The table has them
alone and as "Uncertain significance/VUS-high".
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

# a term such as "pathogenic, low penetrance" contains a comma; until 2022 a comma also separated
# terms, as a semicolon does now
_SEPARATOR = re.compile(r"[;/]|,(?! *low penetrance)")

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
    # terms about something other than pathogenicity
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
    - "…, low penetrance" counts with its term, and VUS-high, VUS-mid and VUS-low are uncertain.
      Each is a class of its own in ClinVar, and a subclass of that term.
    - An additional term about something other than pathogenicity ("; drug response", "/Likely risk
      allele") does not change the class.
    - Everything else is other: terms that exclude each other ("Uncertain significance;
      Pathogenic/Likely pathogenic"), "not provided", "drug response", "risk factor" and risk
      alleles alone, and a classification with a term that is not known (:func:`is_known`). A
      variant with only a clinical impact or an oncogenicity is other, too, so that the classes add
      up to all variants.
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
    """Tell whether this version knows all terms of a classification."""
    return all(term in _TERMS or not says_something(term) for term in _terms(text))


def says_something(text: str) -> bool:
    """Tell whether a text classifies its variant.

    An allele that was submitted only as a part of a haplotype or genotype has "no classification
    for the single variant" in each of the three classifications.
    """
    return text.strip().lower() not in _NO_CLASSIFICATION


def _terms(text: str) -> list[str]:
    return [" ".join(term.split()) for term in _SEPARATOR.split(text.lower())]
