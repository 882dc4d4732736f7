import pytest

from app.annotation.sources.clinvar.germline import CLASSES, germline_class, is_known


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Pathogenic", "pathogenic"),
        ("Pathogenic; drug response", "pathogenic"),
        ("Pathogenic, risk factor", "pathogenic"),
        ("Pathogenic, low penetrance", "pathogenic"),
        ("Pathogenic/Pathogenic, low penetrance; other", "pathogenic"),
        ("Pathogenic/Likely risk allele", "pathogenic"),
        ("Pathogenic/Likely pathogenic", "pathogenic_or_likely_pathogenic"),
        (
            "Pathogenic/Likely pathogenic/Pathogenic, low penetrance",
            "pathogenic_or_likely_pathogenic",
        ),
        ("Likely pathogenic", "likely_pathogenic"),
        ("Likely pathogenic, low penetrance", "likely_pathogenic"),
        ("Conflicting classifications of pathogenicity", "conflicting"),
        ("Conflicting classifications of pathogenicity; other; risk factor", "conflicting"),
        ("Conflicting interpretations of pathogenicity", "conflicting"),
        ("Conflicting interpretations of pathogenicity, other", "conflicting"),
        ("Uncertain significance", "uncertain"),
        ("Uncertain significance/Uncertain risk allele", "uncertain"),
        ("Likely benign", "likely_benign"),
        ("Benign/Likely benign", "benign_or_likely_benign"),
        ("Benign/Likely benign; other; risk factor", "benign_or_likely_benign"),
        ("Benign", "benign"),
        ("not provided", "other"),
        ("drug response", "other"),
        ("Uncertain risk allele", "other"),
        ("conflicting data from submitters", "conflicting"),
        ("VUS-high", "uncertain"),
        ("VUS-mid", "uncertain"),
        ("VUS-low", "uncertain"),
        ("Uncertain significance/VUS-high", "uncertain"),
        ("Uncertain significance; Affects", "uncertain"),
        ("Uncertain significance; Pathogenic/Likely pathogenic", "other"),
        ("Likely pathogenic/Likely pathogenic, low penetrance", "likely_pathogenic"),
        (
            "Pathogenic/Likely pathogenic/Pathogenic, low penetrance/Likely risk allele; other",
            "pathogenic_or_likely_pathogenic",
        ),
        ("association not found", "other"),
        ("confers sensitivity; other", "other"),
        ("protective; risk factor", "other"),
        ("no classifications from unflagged records", "other"),
        ("no interpretation for the single variant", "other"),
        ("no classification for the single variant", "other"),
        ("", "other"),
    ],
)
def test_each_classification_has_its_class(text: str, expected: str) -> None:
    assert germline_class(text) == expected
    assert is_known(text)


@pytest.mark.parametrize(
    "text",
    ["VUS-extreme", "Pathogenic/Hypermorphic", "Benign; never seen before", "Tier I - Strong", "?"],
)
def test_a_classification_with_an_unknown_term_is_other(text: str) -> None:
    assert not is_known(text)
    assert germline_class(text) == "other"


def test_every_class_has_a_term() -> None:
    texts = ["Pathogenic", "Pathogenic/Likely pathogenic", "Likely pathogenic", "VUS-mid", "Benign",
             "Benign/Likely benign", "Likely benign", "other",
             "Conflicting classifications of pathogenicity"]  # fmt: skip
    assert {germline_class(text) for text in texts} == set(CLASSES)
