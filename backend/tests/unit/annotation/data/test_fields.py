"""The fields of all sources, by name."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from app.annotation.data.conditions import parse_condition
from app.annotation.data.field_names import find_field, find_fields, find_path, split_names
from app.annotation.data.fields import (
    Field,
    MapKey,
    default_fields,
    fields_of,
    fields_of_own_table,
)
from app.annotation.own_tables.store import OwnTableRow
from app.annotation.sources import SOURCES
from app.core.errors import WrongUse

KNOWN = {source: fields_of(source) for source in SOURCES}

UNITS = {
    "1 or -1",
    "ClinGen dosage score",
    "PanelApp id",
    "PubMed id",
    "TPM",
    "amino acids",
    "articles",
    "base, 1-based",
    "fraction 0-1",
    "occurrences",
    "panels",
    "partners",
    "probability 0-1",
    "ratio",
    "residue, 1-based",
    "score 0-1000",
    "standard deviations",
    "submissions",
    "variants",
    "version",
}
"""The allowed words for units. A new source may add its unit."""

PSEUDO_FIELDS = {"state", "release", "fetched_at"}


def everything() -> Iterator[Field]:
    """The fields of all sources, and those of the elements of their lists."""
    waiting = [field for fields in KNOWN.values() for field in fields.values()]
    while waiting:
        field = waiting.pop()
        yield field
        waiting += field.parts


def test_every_number_has_a_unit_and_all_sources_use_the_same_words() -> None:
    for field in everything():
        numeric = {"integer", "number"} & {field.kind, field.element}
        assert (field.unit is not None) == bool(numeric), field.name
        assert field.unit is None or field.unit in UNITS, field.name


def test_every_list_of_objects_declares_the_identity_of_its_elements() -> None:
    for field in everything():
        parts = {part.path[-1] for part in field.parts}
        assert bool(field.identity) == (field.element == "object"), field.name
        assert set(field.identity) <= parts, field.name
        moving = {part.path[-1] for part in field.parts if part.moves}
        assert not moving & set(field.identity), field.name


def test_every_field_is_defined_and_its_name_is_unambiguous() -> None:
    names = [field.name for field in everything()]
    assert len(names) == len(set(names))
    for field in everything():
        assert field.definition, field.name
        assert field.path[0] not in PSEUDO_FIELDS, field.name


def test_a_table_shows_at_most_one_field_of_a_source_by_default() -> None:
    shown = default_fields(SOURCES)
    assert 4 <= len(shown) == len({field.source for field in shown}) <= 8
    first = shown[0].source
    assert [each.name for each in default_fields({first})] == [shown[0].name]


def test_nested_structures_are_flattened() -> None:
    field = KNOWN["clinvar"]["clinvar.germline.pathogenic"]
    assert (field.path, field.kind, field.unit) == (
        ("germline", "pathogenic"),
        "integer",
        "variants",
    )
    assert not field.nullable
    dosage = KNOWN["clingen"]["clingen.haploinsufficiency.meaning"]
    assert dosage.nullable, "the structure around it may be null"


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("clinvar.last_evaluated", {"kind": "text", "is_date": True, "moves": True}),
        ("gnomad.is_mane_select", {"kind": "boolean", "moves": False}),
        ("gnomad.gene_flags", {"kind": "list", "element": "text", "nullable": True}),
        ("gtex.tissues_tpm", {"kind": "map", "element": "number", "unit": "TPM"}),
        ("pubmed.newest_pmids", {"kind": "list", "element": "integer", "unit": "PubMed id"}),
        ("panelapp.panels", {"element": "object", "identity": ("region", "panel_id")}),
    ],
)
def test_a_field_describes_its_values(name: str, says: dict[str, Any]) -> None:
    field = find_field(name, KNOWN)
    assert {key: getattr(field, key) for key in says} == says


def test_the_elements_of_a_list_have_fields_of_their_own() -> None:
    panels = KNOWN["panelapp"]["panelapp.panels"]
    parts = {part.name: part for part in panels.parts}
    assert parts["panelapp.panels.confidence"].values == ("amber", "green", "none", "red")
    assert parts["panelapp.panels.panel_version"].moves


def test_a_key_of_a_map_is_a_field_that_may_be_null() -> None:
    liver = find_field("gtex.tissues_tpm.Liver", KNOWN)
    assert isinstance(liver, MapKey)
    assert (liver.path, liver.kind, liver.unit) == (("tissues_tpm", "Liver"), "number", "TPM")
    assert liver.nullable
    assert liver.name == "gtex.tissues_tpm.Liver"


@pytest.mark.parametrize("key", ["no assertion", 'a "b", c.d=e', "stop>gain", "é", "HP:1"])
def test_a_quoted_key_may_contain_any_character(key: str) -> None:
    quoted = '"' + key.replace('"', '""') + '"'
    found = find_field(f"clinvar.review_status.{quoted}", KNOWN)
    assert found.path == ("review_status", key)
    assert find_field(found.name, KNOWN) == found
    assert split_names(f"gnomad.pli,{found.name}, hgnc") == ["gnomad.pli", found.name, "hgnc"]


def test_the_name_of_a_source_or_structure_selects_all_of_its_fields() -> None:
    names = ["clinvar.germline", "clinvar.germline.benign", "gnomad.pli", "pubmed"]
    found = [field.name for field in find_fields(names, KNOWN)]
    assert found == [
        *(name for name in KNOWN["clinvar"] if name.startswith("clinvar.germline.")),
        "gnomad.pli",
        *KNOWN["pubmed"],
    ]


@pytest.mark.parametrize(
    ("name", "found", "allowed"),
    [
        ("clinvr.variants", "no source 'clinvr'; did you mean clinvar?", "hgnc, ensembl, clinvar"),
        ("", "no source ''", "hgnc"),
        (
            "clinvar.germline.patogenic",
            "no field 'clinvar.germline.patogenic'; did you mean clinvar.germline.pathogenic?",
            "clinvar.variants, clinvar.single_gene",
        ),
        ("clinvar", "no field 'clinvar'", "clinvar.variants"),
        ("gtex.tissues_tpm.", "names no key", "double quotes"),
        ('gtex.tissues_tpm."Liver', "names no key", "double quotes"),
        (
            "gtex.tissues_tpm.livr",
            "no key of gtex.tissues_tpm 'livr'; did you mean Liver?",
            "Kidney_Cortex",
        ),
        ("ClinVar.variants", "no source 'ClinVar'; did you mean clinvar?", "hgnc"),
        ("pathogenic", "did you mean clinvar.germline.pathogenic?", "a source and its field"),
        ("gnomad.PLI", "no field 'gnomad.PLI'; did you mean gnomad.pli?", "gnomad.loeuf"),
        ("gnomad.pli.x", "no field 'gnomad.pli.x'; did you mean gnomad.pli?", "gnomad.loeuf"),
    ],
)
def test_an_unknown_name_is_refused_with_the_most_similar_one(
    name: str, found: str, allowed: str
) -> None:
    with pytest.raises(WrongUse) as refused:
        find_field(name, KNOWN)
    assert found in refused.value.found
    assert allowed in refused.value.allowed


def test_an_own_table_has_its_rows_as_one_field() -> None:
    own = OwnTableRow(
        id=1,
        name="ckd",
        title="CKD",
        licence="own data",
        release="2026-03-01",
        file_name="ckd.tsv",
        digest="",
        bytes=1,
        rows=1,
        genes=1,
        columns={"Gene": "text", "eGFR (ml/min)": "number"},
        keys=["symbol"],
        added_by="a test",
        added_at=datetime(2026, 3, 1, tzinfo=UTC),
    )
    (rows,) = fields_of_own_table(own).values()
    assert (rows.name, rows.kind, rows.element, rows.identity) == ("ckd.rows", "list", "object", ())
    assert "The columns: Gene, eGFR (ml/min)." in rows.definition
    assert [(part.path[-1], part.kind) for part in rows.parts] == [
        ("Gene", "text"),
        ("eGFR (ml/min)", "number"),
    ]
    for name in ('ckd.rows."eGFR (ml/min)"', "ckd.rows.eGFR (ml/min)"):
        assert find_path(name, {"ckd": {rows.name: rows}}) == [rows, rows.parts[1]]
        assert parse_condition(f"{name}<60", {"ckd": {rows.name: rows}}).source == "ckd"
