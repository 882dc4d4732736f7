"""The fields that no picture shows are listed with their definitions and units."""

from datetime import UTC, datetime
from typing import Any

from app.annotation.data.fields import fields_of, fields_of_own_table
from app.annotation.own_tables.store import OwnTableRow
from app.web.cards.facts import Blocks, Fact, Pairs, Table, Values, facts
from app.web.cards.values import Value

OWN = OwnTableRow(
    1, "cohort", "Our cohort", "CC0", "1", "c.tsv", "d", 1, 2, 1,
    {"cases": "number", "remark": "text"}, ["hgnc_id"], "Ada", datetime(2026, 1, 1, tzinfo=UTC),
)  # fmt: skip


def by_label(source: str, data: dict[str, Any], without: tuple[str, ...] = ()) -> dict[str, Fact]:
    return {fact.label: fact for fact in facts(fields_of(source).values(), data, without)}


def test_a_field_has_its_definition_and_its_unit() -> None:
    found = by_label("pubmed", {"articles": 12, "newest_pmids": [3, 2]})

    articles = found["articles"]
    assert articles.definition.startswith("The number of distinct PubMed articles")
    assert isinstance(articles.value, Value)
    assert (articles.value.text, articles.value.unit) == ("12", "articles")
    assert isinstance(found["newest pmids"].value, Values)


def test_nested_structures_are_named_by_their_paths() -> None:
    found = by_label("clingen", {"haploinsufficiency": {"score": 3}, "triplosensitivity": None})

    assert found["haploinsufficiency score"].value == Value("3", unit="ClinGen dosage score")
    assert found["triplosensitivity score"].value == Value("none stated", is_none=True)
    # the answer lacks it, and no value is invented
    assert "haploinsufficiency meaning" not in found


def test_drawn_fields_are_omitted() -> None:
    data = {"tissues_tpm": {"Liver": 1.0}, "gencode_id": "ENSG00000008710.19"}

    assert [*by_label("gtex", data, ("tissues_tpm",))] == ["gencode id"]


def test_a_map_has_its_keys_with_links() -> None:
    found = by_label("hpo", {"modes_of_inheritance": {"HP:0000006": "Autosomal dominant"}})

    pairs = found["modes of inheritance"].value
    assert isinstance(pairs, Pairs)
    ((term, name),) = pairs.pairs.first
    assert (term.href[-10:], name.text) == ("HP:0000006", "Autosomal dominant")


def test_objects_are_a_table_and_nested_objects_are_blocks() -> None:
    ortholog = {"mgi_id": "MGI:97603", "symbol": "Pkd1"}
    table = by_label("mgi", {"orthologs": [ortholog]})["orthologs"].value
    entry = {"accession": "P98161", "domains": [{"name": "PLAT", "start": 3_118, "end": 3_235}]}
    blocks = by_label("uniprot", {"entries": [entry] * 5})["entries"].value

    assert isinstance(table, Table)
    assert [name for name, _ in table.columns] == ["mgi id", "symbol"]
    assert isinstance(blocks, Blocks)
    assert (len(blocks.blocks.first), blocks.blocks.more) == (2, 3)
    domains = {fact.label: fact for fact in blocks.blocks.first[0]}["domains"].value
    assert isinstance(domains, Table)
    assert [each.text for each in domains.rows.first[0]] == ["PLAT", "3,118", "3,235"]


def test_an_own_table_has_its_columns_with_numbers_and_text_distinguished() -> None:
    data = {"rows": [{"cases": 1_200, "remark": "seen"}, {"cases": 3, "remark": None}]}

    (fact,) = facts(fields_of_own_table(OWN).values(), data)

    assert isinstance(fact.value, Table)
    assert [name for name, _ in fact.value.columns] == ["cases", "remark"]
    assert fact.value.numbers == {0}


def test_data_of_an_older_parser_is_shown_unchanged() -> None:
    data = {"articles": "many", "newest_pmids": [{"x": [1]}], "gone": {"a": [1, None]}}

    found = by_label("pubmed", data)

    assert found["articles"].value == Value("many")
    assert found["gone"].value.text == "a: 1, none stated"  # type: ignore[union-attr]
    assert found["gone"].definition == ""


def test_no_data_has_no_facts() -> None:
    assert facts(fields_of("gtex").values(), {}) == []
