import re

from app.annotation.data.conditions import parse_condition
from app.annotation.data.fields import fields_of
from app.annotation.sources import SOURCES
from reference import fields
from tests.conftest import REPOSITORY

KNOWN = {source: fields_of(source) for source in SOURCES}


def test_every_field_is_listed_with_its_type_and_unit() -> None:
    page = fields.fields()
    for source, found in KNOWN.items():
        assert f"## {source}\n" in page
        for name in found:
            assert f"| `{name}` |" in page
    assert "| `gnomad.loeuf` | number or null | ratio | `=` `!=` `<` `<=` `>` `>=` `?` |" in page
    assert "| `gtex.tissues_tpm` | map of numbers | TPM | `?` |" in page
    assert "list of objects, identified by `region`, `panel_id`" in page
    assert "| `clinvar.last_evaluated` | day or null; *moves* |" in page


def test_the_operators_of_each_type_are_those_that_conditions_can_have() -> None:
    rows = re.findall(r"^\| ([a-z ]+) \| (.+) \| `(.+)` \|$", fields.operators(), re.MULTILINE)
    kinds = {kind: (operators, name) for kind, operators, name in rows}
    assert kinds["map of numbers"][0] == "`?`"
    assert kinds["fixed values"][0] == "`=` `!=` `?`"
    for _, name in kinds.values():
        assert parse_condition(f"{name}?", KNOWN)


def test_the_conditions_in_the_text_of_the_page_are_conditions() -> None:
    page = (REPOSITORY / "docs/reference/conditions.md").read_text(encoding="utf-8")
    found = re.findall(r"`(\w+\.[\w.]+(?:\.\"[\w ]+\")?(?:[!<>=~]+[^`]+|\?))`", page)
    found += re.findall(r"'where=(.+?)'", page)
    assert len(found) > 20
    for condition in found:
        assert parse_condition(condition, KNOWN)
