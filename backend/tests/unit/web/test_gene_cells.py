"""The cells of the table of genes are short, and correct for any stored value."""

from typing import Any

import msgspec
import pytest

from app.annotation.data.fields import Field, fields_of
from app.annotation.data.shapes import Answer, Gene
from app.web.gene_cells import MAX_CHARS, cell, row
from app.web.gene_columns import by_source

CLINVAR, PANELAPP = fields_of("clinvar"), fields_of("panelapp")
COUNT = CLINVAR["clinvar.germline.pathogenic"]
MAP = CLINVAR["clinvar.review_status"]
DAY = CLINVAR["clinvar.last_evaluated"]
RATIO = fields_of("gnomad")["gnomad.loeuf"]
NAMES = fields_of("hgnc")["hgnc.alias_symbol"]
PANELS = PANELAPP["panelapp.panels"]
TERMS = fields_of("hpo")["hpo.terms"]
YES = fields_of("mgi")["mgi.organ_phenotype"]
PMIDS = fields_of("pubmed")["pubmed.newest_pmids"]


@pytest.mark.parametrize(
    ("field", "value", "shown"),
    [
        (COUNT, 12345, "12,345"),
        (COUNT, 0, "0"),
        (RATIO, 0.123456, "0.1235"),
        (DAY, "2026-03-31", "2026-03-31"),
        (YES, True, "yes"),
        (YES, False, "no"),
        (COUNT, None, "none stated"),
        (NAMES, [], "none"),
        (MAP, {}, "none"),
        (NAMES, ["PBP"], "PBP"),
        (NAMES, ["a", "b", "c", "d", "e"], "5: a; b; c and 2 more"),
        (PMIDS, [1234567, 89], "2: 1234567; 89"),
        (MAP, {"no assertion": 3}, "no assertion 3"),
        (TERMS, {"HP:1": "Renal cyst", "HP:2": "Stroke"}, "2: Renal cyst; Stroke"),
        (PANELS, [{"region": "UK", "panel_id": 1, "panel": "Cysts"}], "Cysts"),
        (PANELS, [{"panel_id": 7, "other": None}], "panel_id 7"),
        # of another type than the field: an older version may have stored it
        (COUNT, "many", "many"),
        (COUNT, [1, 2], "2: 1; 2"),
        (NAMES, 7, "7"),
        (NAMES, [None, {"x": 1}, [2, 3]], "3: none stated; x 1; 2, 3"),
        (MAP, "text", "text"),
    ],
)
def test_a_cell_is_formatted_for_people(field: Field, value: Any, shown: str) -> None:
    assert cell(field, value).value.text == shown


def test_text_that_does_not_fit_is_in_the_tooltip() -> None:
    for value in ("long " * 100, ["x" * 70, "y" * 70]):
        made = cell(NAMES, value)
        assert len(made.value.text) <= MAX_CHARS
        assert len(made.whole) > MAX_CHARS
        assert made.is_long
    assert cell(NAMES, "short").whole == ""


def test_a_cell_lists_fewer_entries_instead_of_truncating_their_count() -> None:
    made = cell(NAMES, ["x" * 30, "y" * 30, "z" * 30, "a", "b"])

    assert made.value.text == f"5: {'x' * 30}; {'y' * 30} and 3 more"
    assert made.whole == f"5: {'x' * 30}; {'y' * 30}; {'z' * 30} and 2 more"


def test_numbers_are_right_aligned() -> None:
    assert cell(COUNT, 3).is_number
    assert not cell(YES, value=True).is_number
    assert not cell(COUNT, None).is_number


def answer(state: str, data: Any = None, **more: Any) -> Answer:
    now = msgspec.Raw(b'"2026-01-01T00:00:00Z"')
    stored = None if data is None else msgspec.Raw(msgspec.json.encode(data))
    given = {"checked_state": state, "reason": None, **more}
    return Answer(
        state, stored, "1", now, now, given["checked_state"], now, given["reason"], None, None
    )


def test_each_state_of_an_answer_differs_from_null_and_says_why() -> None:
    columns = by_source([COUNT, DAY], {"clinvar": CLINVAR})
    said = []
    for stored in (
        None,
        answer("absent"),
        answer("unknown", reason="HTTP 500"),
        answer("found", {"germline": None}),
        answer("found", {"germline": {"pathogenic": 1}}, checked_state="unknown", reason="later"),
    ):
        answers = {} if stored is None else {"clinvar": stored}
        (found,) = row(Gene(1, "HGNC:1", "A", None, None, None, None, answers), columns).answers
        said.append((found.state, found.why, [each.value.text for each in found.cells]))
    assert said == [
        ("not asked", "", []),
        ("absent", "", []),
        ("unknown", "HTTP 500", []),
        ("found", "", ["none stated", "none stated"]),
        ("found", "later", ["1", "none stated"]),
    ]
