"""The descriptions of changes."""

from typing import Any

import pytest

from app.annotation.data.diff import Shape, diff
from app.annotation.data.fields import Field, fields_of
from app.annotation.data.wording import Words, describe_event


def words(source: str, old: dict[str, Any] | None, new: dict[str, Any] | None) -> str:
    fields = fields_of(source).values()
    return Words(fields).describe(diff(Shape.of(fields), old, new))


def test_numbers() -> None:
    old = {"germline": {"pathogenic": 512, "conflicting": 41, "benign": 3}}
    new = {"germline": {"pathogenic": 519, "conflicting": 40, "benign": 3}}
    assert words("clinvar", old, new) == "pathogenic 512 -> 519, conflicting 41 -> 40"


def test_a_label_is_the_shortest_unique_end_of_the_path() -> None:
    old = {"haploinsufficiency": {"score": 1}, "triplosensitivity": {"score": None}}
    new = {"haploinsufficiency": {"score": 3}, "triplosensitivity": {"score": 0}}
    assert words("clingen", old, new) == (
        "haploinsufficiency score 1 -> 3, triplosensitivity score none -> 0"
    )


def test_terms_that_were_added_and_removed() -> None:
    old = {"terms": {"HP:1": "Hematuria", "HP:2": "Nephritis"}}
    new = {"terms": {"HP:1": "Hematuria", "HP:0000107": "Renal cyst"}}
    assert words("hpo", old, new) == (
        "added term HP:0000107 Renal cyst; removed term HP:2 Nephritis"
    )


def test_long_texts_with_a_common_start_are_shown_from_the_difference() -> None:
    old = "Required for the development of the kidney and for the transport of calcium in tubules"
    one, other = {"name": f"{old}."}, {"name": f"{old}, and of potassium."}
    assert words("uniprot", one, other) == (
        "name ...calcium in tubules. -> ...calcium in tubules, and of potassium."
    )
    assert words("uniprot", {"name": old}, {"name": "Uromodulin"}) == (
        "name Required for the development of the kidney and for the tr... -> Uromodulin"
    )


def test_empty_values_of_a_new_answer_are_omitted() -> None:
    new = {"strongest_classification": "Strong", "unknown_terms": {}, "submissions": []}
    assert words("gencc", None, new) == "strongest classification none -> Strong"
    assert words("gencc", {}, {"unknown_terms": {}}) == "unknown terms none -> none"


def test_a_long_list_is_shortened_and_counted() -> None:
    many = {f"HP:{number}": f"Term {number}" for number in range(17)}
    said = words("hpo", {"terms": {}}, {"terms": many})
    assert said == (
        "added terms HP:0 Term 0, HP:1 Term 1, HP:2 Term 2, HP:3 Term 3, HP:4 Term 4 and 12 more"
    )


def test_an_element_is_named_by_its_identity_and_its_name() -> None:
    old = {"region": "UK", "panel_id": 5, "panel": "Cystic kidneys", "confidence": "amber"}
    new = [old | {"confidence": "green", "evidence": ["Radboud"]}, old | {"panel_id": 6}]
    assert words("panelapp", {"panels": [old | {"evidence": []}]}, {"panels": new}) == (
        "added panel UK 6 Cystic kidneys;"
        " altered panel UK 5: confidence amber -> green, added evidence Radboud"
    )


def test_the_keys_of_a_map_have_both_values() -> None:
    old, new = {"tissues_tpm": {"Liver": 1.5}}, {"tissues_tpm": {"Liver": 2, "Lung": 0}}
    assert words("gtex", old, new) == "added tissues tpm Lung 0; tissues tpm Liver 1.5 -> 2"


def test_a_status_stays_a_status() -> None:
    old, new = {"review_status": {}}, {"review_status": {"practice guideline": 1}}
    assert words("clinvar", old, new) == "added review status practice guideline 1"


def test_identifiers_in_a_list() -> None:
    old, new = {"omim_id": ["1", "2"], "name": "x" * 99}, {"omim_id": ["2", "3"], "name": None}
    said = words("hgnc", old, new)
    assert said.startswith(f"name {'x' * 57}... -> none; added omim id 3; removed omim id 1")


def test_undeclared_data_are_shown_unchanged() -> None:
    old = {"germline": 7, "former": {"count": 1}, "list": ["a"]}
    new = {"germline": {"pathogenic": 1}}
    assert (
        words("clinvar", old, new)
        == "germline 7 -> pathogenic 1, former count 1 -> none, list a -> none"
    )


def test_the_row_of_an_own_table() -> None:
    rows = Field("mine", ("rows",), "list", nullable=False, definition="", element="object")
    changes = diff(Shape.of([rows]), None, {"rows": [{"gene": "PKD1", "score": 3, "note": None}]})
    assert Words([rows]).describe(changes) == "added row gene PKD1, score 3"


@pytest.mark.parametrize(
    ("event", "detail", "said"),
    [
        ("renamed", {"from": "MLL", "to": "KMT2A"}, "renamed MLL -> KMT2A"),
        ("ensembl id changed", {"from": "ENSG1", "to": None}, "ensembl id changed ENSG1 -> none"),
        ("merged", {"into": ["HGNC:5"]}, "merged into HGNC:5"),
        ("withdrawn", {"into": []}, "withdrawn"),
        ("imported", {}, "imported"),
    ],
)
def test_events_of_a_gene(event: str, detail: dict[str, Any], said: str) -> None:
    assert describe_event(event, detail) == said
