"""The former and the new values of changes."""

from datetime import UTC, datetime
from typing import Any

from app.annotation.data.changes import side_by_side
from app.annotation.data.changes.views import Change, FieldDifference
from app.annotation.data.fields import fields_of


def rows(*fields: FieldDifference, source: str = "hpo") -> list[tuple[str, Any, Any]]:
    change = Change(
        hgnc_id="HGNC:9008", symbol="PKD1", source=source, kind="changed", at=datetime.now(UTC),
        run_id=None, rollback_id=None, state_before="found", state="found", release_before=None,
        release=None, event=None, detail=None, fields=[*fields], text="",
    )  # fmt: skip
    return [(row.name, row.before, row.now) for row in side_by_side(change, fields_of(source))]


def test_a_value_is_next_to_the_former_one():
    altered = FieldDifference("clinvar.germline.likely_pathogenic", "altered", from_=512, to=None)
    assert rows(altered, source="clinvar") == [("germline likely pathogenic", ["512"], ["none"])]


def test_the_added_and_removed_elements_of_a_list_are_one_row():
    assert rows(
        FieldDifference("hpo.terms", "added", element="HP:1", to="Cyst"),
        FieldDifference("hpo.terms", "removed", element="HP:2", from_="Stone"),
        FieldDifference("hpo.terms", "removed", element="HP:3", from_="Colic"),
    ) == [("terms", ["HP:2 Stone", "HP:3 Colic"], ["HP:1 Cyst"])]


def test_an_altered_element_has_a_row_for_each_part():
    disease = {"disease_id": "OMIM:1"}
    assert rows(
        FieldDifference("hpo.diseases", "altered", disease, "disease", "Old", "New"),
        FieldDifference("hpo.diseases", "added", disease, "modes", to="AD"),
        FieldDifference("hpo.terms", "altered", element="HP:1", from_="Cyst", to="Cysts"),
    ) == [
        ("diseases: OMIM:1: disease", ["Old"], ["New"]),
        ("diseases: OMIM:1: modes", [], ["AD"]),
        ("terms: HP:1", ["Cyst"], ["Cysts"]),
    ]


def test_an_element_is_named_by_its_identifier_and_its_name():
    element = {"disease_id": "OMIM:1"}
    added = FieldDifference("hpo.diseases", "added", element, to=element | {"disease": "PKD"})
    assert rows(added) == [("diseases", [], ["OMIM:1 PKD"])]


def test_long_texts_are_shortened():
    ((_, _, (now,)),) = rows(FieldDifference("hpo.name", "altered", from_="a", to="b" * 1_000))
    assert len(now) == 300
