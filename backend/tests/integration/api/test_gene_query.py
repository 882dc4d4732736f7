"""Many identifiers of any kinds are answered in their order, each with a gene or with a reason."""

import json
from typing import Any

import pytest

from tests.integration.api.test_reading import past

__all__ = ["past"]

QUERY = "/api/genes/query"


@pytest.fixture
def named(query, past) -> None:
    for hgnc_id, kind, name in (
        ("HGNC:9008", "symbol", "PKD1"),
        ("HGNC:9008", "previous", "PBP"),
        ("HGNC:9008", "alias", "Pc-1"),
        ("HGNC:12403", "symbol", "TTN"),
        ("HGNC:12403", "alias", "BOTH"),
        ("HGNC:2", "symbol", "ELSEWHERE"),
        ("HGNC:2", "alias", "BOTH"),
    ):
        query("INSERT INTO gene_names VALUES (%s, %s, %s)", hgnc_id, kind, name)


async def ask(api: Any, q: Any, **more: Any) -> Any:
    answer = await api.post(QUERY, json={"q": q, **more})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_each_identifier_gets_an_answer_in_its_place(api, named) -> None:
    q = ["ttn", "HGNC:9008", "ENSG00000008710.17", "5310", 7273, " pkd1 ", "PBP", "pc-1", "ttn"]
    found = await ask(api, q)
    assert [each["query"] for each in found] == [str(each) for each in q]
    assert [each["_id"] for each in found] == [
        "HGNC:12403", "HGNC:9008", "HGNC:9008", "HGNC:9008", "HGNC:12403", "HGNC:9008",
        "HGNC:9008", "HGNC:9008", "HGNC:12403",
    ]  # fmt: skip
    assert [each["resolved_by"] for each in found] == [
        "symbol", "hgnc_id", "ensembl_gene_id", "entrez_id", "entrez_id", "symbol",
        "previous symbol", "alias", "symbol",
    ]  # fmt: skip
    assert found[0] == found[-1]
    assert found[0]["annotations"]["clinvar"]["data"]["variants"] == 200


async def test_ambiguous_unknown_blank_and_misplaced_names_are_reported(api, named) -> None:
    both, nothing, blank, elsewhere = await ask(api, ["BOTH", "NOSUCH", " ", "elsewhere"])
    assert (both["ambiguous"], both["resolved_by"]) == (True, "alias")
    assert [each["symbol"] for each in both["candidates"]] == ["ELSEWHERE", "TTN"]
    assert nothing == {
        "query": "NOSUCH",
        "notfound": True,
        "reason": "no gene has this name",
        "gene": None,
    }
    assert (blank["notfound"], blank["reason"]) == (True, "the identifier is blank")
    assert elsewhere["notfound"] is True
    assert elsewhere["reason"] == "ELSEWHERE is not in this database"
    assert elsewhere["gene"]["hgnc_id"] == "HGNC:2"


@pytest.mark.parametrize("scopes", ["entrezgene,ensembl.gene", ["entrez_id", "ensemblgene"]])
async def test_scopes_define_the_type_of_the_identifiers(api, named, scopes) -> None:
    found = await ask(api, "5310 ENSG00000155657, PKD1", scopes=scopes)
    assert [each.get("_id") for each in found] == ["HGNC:9008", "HGNC:12403", None]
    by_alias = await ask(api, ["PBP", "PC-1", "PKD1"], scopes="alias")
    assert ["notfound" in each for each in by_alias] == [False, False, True]


async def test_a_query_takes_fields_sources_and_a_moment(api, named) -> None:
    (cut,) = await ask(api, ["TTN"], fields=["clinvar.variants"])
    assert cut["annotations"]["clinvar"]["data"] == {"variants": 200}
    (whole,) = await ask(api, ["TTN"], fields="all", sources="pubmed,clinvar")
    assert list(whole["annotations"]) == ["clinvar", "pubmed"]
    for moment in ({"snapshot": "march"}, {"as_of": "2025-03-15"}):
        (then,) = await ask(api, ["PKD1"], **moment)
        assert then["annotations"]["clinvar"]["data"]["variants"] == 7
    (later,) = await ask(api, ["TTN"], as_of="2025-02-10")
    assert later["reason"] == "TTN was not in this database at that moment"


async def test_a_thousand_identifiers_are_answered_and_no_more(api, named) -> None:
    assert len(await ask(api, ["PKD1", "NOSUCH"] * 500, sources="gnomad")) == 1_000
    answer = await api.post(QUERY, json={"q": ["PKD1"] * 1_001})
    assert (answer.status_code, answer.json()["allowed"]) == (422, "1 to 1,000")


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({}, "body 'q'"),
        ({"q": []}, "0 identifiers"),
        ({"q": " , "}, "0 identifiers"),
        ({"q": 5310}, "a list of identifiers"),
        ({"q": [True]}, "a list of identifiers"),
        ({"q": [None]}, "a list of identifiers"),
        ({"q": ["PKD1"], "scopes": "symbl"}, "did you mean symbol?"),
        ({"q": ["PKD1"], "field": "x"}, "did you mean fields?"),
        ({"q": ["PKD1"], "fields": "clinvar.varients"}, "did you mean clinvar.variants?"),
        ({"q": ["PKD1"], "snapshot": "mars"}, "did you mean march?"),
        ({"q": ["PKD1"], "snapshot": "\ud800"}, "body 'snapshot'"),
        ({"q": ["PKD1"], "sources": ["\ud800"]}, "there is no source"),
    ],
    ids=str,
)
async def test_a_wrong_query_is_refused_with_the_correct_form(api, named, body, error) -> None:
    answer = await api.post(QUERY, content=json.dumps(body))
    assert answer.status_code == 422, answer.text
    assert error in answer.json()["error"]
    assert answer.json()["allowed"]


async def test_an_identifier_that_no_gene_can_have_is_not_found(api, named) -> None:
    for name in ("\0", "\ud800", "x" * 5_000, "'; DROP TABLE genes", "%"):
        answer = await api.post(QUERY, content=json.dumps({"q": [name]}))
        assert answer.status_code == 200, answer.text
        assert answer.json()[0]["notfound"] is True
