import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.annotation.sources.clinvar.aggregate import Tally, day, profile


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026/03/11 00:00", "2026-03-11"),
        ("Mar 11, 2026", "2026-03-11"),
        ("2026-03-11", "2026-03-11"),
        ("1/01/01 00:00", None),
        ("Jan 01, 0001", None),
        ("-", None),
        ("", None),
        ("Feb 30, 2020", None),
    ],
)
def test_the_dates_of_the_api_and_of_the_table_are_read(text: str, expected: str | None) -> None:
    tally = Tally()
    tally.add(profile("Benign", ""), None, day(text), single_gene=True)
    data = tally.data()
    assert data is not None
    assert data["last_evaluated"] == expected


@pytest.mark.parametrize("text", ["soon", "11.03.2026", "Mzz 11, 2026", "20260311", "1773187200"])
def test_a_date_in_an_unknown_format_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="unknown form"):
        day(text)


def test_a_gene_without_variants_has_no_annotation() -> None:
    assert Tally().data() is None


@pytest.mark.parametrize(
    "text",
    [
        "no classification for the single variant",
        "no classifications from unflagged records",
        "not provided",
        "-",
    ],
)
def test_a_text_without_a_classification_counts_for_no_oncogenicity_and_no_impact(
    text: str,
) -> None:
    tally = Tally()
    tally.add(profile(text, text, text, text), None, 0, single_gene=True)
    data = tally.data()
    assert data is not None
    assert data["germline"]["other"] == 1
    assert (data["clinical_impact"], data["oncogenicity"], data["unknown_terms"]) == ({}, {}, {})


def test_an_unknown_term_counts_as_other_and_is_listed() -> None:
    tally = Tally()
    for text in ("VUS-extreme", "Pathogenic", "Pathogenic/Hypermorphic", "VUS-extreme"):
        tally.add(profile(text, "reviewed by expert panel"), None, 0, single_gene=True)
    data = tally.data()
    assert data is not None
    assert (data["germline"]["other"], data["germline"]["pathogenic"]) == (3, 1)
    assert data["unknown_terms"] == {"Pathogenic/Hypermorphic": 1, "VUS-extreme": 2}


def test_a_dash_means_no_classification() -> None:
    assert profile("-", "-", "-", "-") == profile("", "", "", "")


variants = st.lists(
    st.tuples(
        st.sampled_from(["Pathogenic", "Benign/Likely benign", "not provided", "-", ""]),
        st.sampled_from(["reviewed by expert panel", "-"]),
        st.sampled_from(["missense variant", None]),
        st.booleans(),
    ),
    min_size=1,
)


@given(variants)
def test_classes_add_up_to_the_variants(seen: list[tuple[str, str, str | None, bool]]) -> None:
    tally = Tally()
    for germline, review, term, single in seen:
        tally.add(profile(germline, review), term, 0, single_gene=single)
    data = tally.data()
    assert data is not None
    assert data["variants"] == len(seen) == sum(data["germline"].values())
    assert data["single_gene"] + data["multi_gene"] == data["variants"]
    assert sum(data["review_status"].values()) == sum(review != "-" for _, review, _, _ in seen)
    assert sum(data["molecular_consequence"].values()) == sum(bool(t) for _, _, t, _ in seen)
