"""Refused conditions and their errors."""

import pytest

from app.annotation.data.conditions import MAX_CONDITIONS, parse_condition, parse_conditions
from app.annotation.data.fields import fields_of
from app.annotation.sources import SOURCES
from app.core.errors import WrongUse

KNOWN = {source: fields_of(source) for source in SOURCES}


@pytest.mark.parametrize(
    ("condition", "found", "allowed"),
    [
        ("", "the condition ''", "FIELD OPERATOR VALUE"),
        ("clinvar.variants", "the condition 'clinvar.variants'", "FIELD OPERATOR VALUE"),
        (">=10", "the condition '>=10'", "FIELD OPERATOR VALUE"),
        ("clinvar.variants>=", "the condition", "FIELD OPERATOR VALUE"),
        ("clinvar.variants?10", "the condition", "FIELD OPERATOR VALUE"),
        ("clinvar.variants!10", "the condition", "FIELD OPERATOR VALUE"),
        ("clinvr.variants>1", "no source 'clinvr'; did you mean clinvar?", "ensembl"),
        (
            "clinvar.germline.patho>1",
            "no field 'clinvar.germline.patho'; did you mean clinvar.germline.pathogenic?",
            "clinvar.variants",
        ),
        (
            "panelapp.panels.confidense=green",
            "no field 'panelapp.panels.confidense'; did you mean panelapp.panels.confidence?",
            "panelapp.panels",
        ),
        ("clinvar.variants~1", "cannot be compared with ~", "clinvar.variants>="),
        ("hgnc.symbol>A", "cannot be compared with >", "hgnc.symbol~"),
        ("clinvar.germline>1", "no field 'clinvar.germline'", "clinvar.germline.benign"),
        ("gtex.tissues_tpm>1", "cannot be compared with >", "gtex.tissues_tpm?"),
        ("panelapp.panels=green", "cannot be compared with =", "panelapp.panels?"),
        ("clinvar.variants>many", "has a value that the field cannot have", "a whole number"),
        ("clinvar.variants>1.5", "has a value that the field cannot have", "a whole number"),
        ("clinvar.variants>1 000", "has a value that the field cannot have", "a whole number"),
        ("clinvar.variants>٣", "has a value that the field cannot have", "a whole number"),
        ("gnomad.pli>nan", "has a value that the field cannot have", "a number"),
        ("gnomad.pli>1e9999", "has a value that the field cannot have", "a number"),
        ("gnomad.is_mane_select=yes", "has a value that the field cannot have", "true, false"),
        (
            "panelapp.panels.confidence=Green",
            "has a value that the field cannot have; did you mean green?",
            "amber, green, none, red",
        ),
        (
            "clinvar.last_evaluated>2026-02-30",
            "has a value that the field cannot have",
            "a day: 2026-03-31",
        ),
        (
            "clinvar.last_evaluated>March",
            "has a value that the field cannot have",
            "a day: 2026-03-31",
        ),
        ("clinvar.state=gone", "has a value that the field cannot have", "found, absent, unknown"),
        ("clinvar.state~found", "cannot be compared with ~", "clinvar.state="),
        (
            "clinvar.fetched_at>2026-03-31T18:00:00",
            "has a value that the field cannot have",
            "with its zone",
        ),
        (
            "clinvar.fetched_at>9999-12-31",
            "has a value that the field cannot have",
            "with its zone",
        ),
        ('hgnc.name="PKD', "the quotes of its value are not closed", "in double quotes"),
        ('gtex.tissues_tpm."Liver>1', "the condition", "FIELD OPERATOR VALUE"),
        ('gtex.tissues_tpm.""?', "names no key of gtex.tissues_tpm", "in double quotes"),
        ("hgnc.name~\0", "the condition", "without NUL"),
        ("hgnc.name~\ud800", "the condition", "whole characters"),
        ("hgnc.name~" + "x" * 1_000, "a condition of 1,010 characters", "500 characters"),
    ],
)
def test_a_wrong_condition_is_refused_with_what_is_allowed(
    condition: str, found: str, allowed: str
) -> None:
    with pytest.raises(WrongUse) as refused:
        parse_condition(condition, KNOWN)
    assert found in refused.value.found
    assert allowed in refused.value.allowed


def test_the_number_of_conditions_is_limited() -> None:
    with pytest.raises(WrongUse, match="21 conditions"):
        parse_conditions(["clinvar.variants>1"] * (MAX_CONDITIONS + 1), KNOWN)


def test_a_condition_keeps_its_text_and_names_its_source() -> None:
    condition = parse_condition(" clinvar.germline.pathogenic >= 10 ", KNOWN)
    assert (condition.source, condition.text) == ("clinvar", "clinvar.germline.pathogenic >= 10")
