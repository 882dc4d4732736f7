"""A gene is found by any of its names, and a name that several genes have is refused."""

from typing import Any

import pytest

NAMES = (
    ("HGNC:9008", "symbol", "PKD1"),
    ("HGNC:9008", "previous", "PBP"),
    ("HGNC:9008", "previous", "SHARED"),
    ("HGNC:9008", "alias", "Pc-1"),
    ("HGNC:9008", "alias", "ABCA3X"),
    ("HGNC:12403", "symbol", "TTN"),
    ("HGNC:12403", "alias", "PC-1B"),
    # these two are not in the database
    ("HGNC:2", "symbol", "ABCA3X"),
    ("HGNC:2", "previous", "SHARED"),
    ("HGNC:2", "previous", "CMD9"),
    ("HGNC:3", "symbol", "THREE"),
    ("HGNC:3", "alias", "CMD9"),
    ("HGNC:3", "alias", "BOTH"),
    ("HGNC:12403", "alias", "BOTH"),
)


@pytest.fixture
def named(query, genes) -> None:
    for each in NAMES:
        query("INSERT INTO gene_names (hgnc_id, kind, name) VALUES (%s, %s, %s)", *each)
    query(
        "INSERT INTO genes (hgnc_id, symbol, withdrawn_at, successor_id)"
        " SELECT 'HGNC:7', 'PBP', now(), id FROM genes WHERE symbol = 'PKD1'"
    )
    query("INSERT INTO genes (hgnc_id, symbol, withdrawn_at) VALUES ('HGNC:8', 'GONE', now())")


@pytest.mark.parametrize(
    ("name", "symbol", "resolved_by"),
    [
        ("pkd1", "PKD1", "symbol"),
        ("hgnc:9008", "PKD1", "hgnc_id"),
        ("ENSG00000008710.12", "PKD1", "ensembl_gene_id"),
        ("5310", "PKD1", "entrez_id"),
        ("NCBI:5310", "PKD1", "entrez_id"),
        ("PC-1", "PKD1", "alias"),
        (" ttn ", "TTN", "symbol"),
        ("GONE", "GONE", "withdrawn symbol"),
    ],
)
async def test_a_gene_is_found_by_any_name_and_the_kind_of_name_is_shown(
    api: Any, named: None, name: str, symbol: str, resolved_by: str
) -> None:
    gene = (await api.get(f"/api/genes/{name}")).json()
    assert (gene["symbol"], gene["resolved_by"]) == (symbol, resolved_by)


async def test_a_previous_symbol_names_the_gene_that_has_another_one_now(api, named, query) -> None:
    query("DELETE FROM genes WHERE symbol = 'PBP'")
    gene = (await api.get("/api/genes/PBP")).json()
    assert (gene["symbol"], gene["resolved_by"]) == ("PKD1", "previous symbol")
    assert (gene["withdrawn_at"], gene["successor"]) == (None, None)


async def test_the_symbol_of_a_merged_gene_names_it_with_its_successor(api, named) -> None:
    gene = (await api.get("/api/genes/PBP")).json()
    assert (gene["hgnc_id"], gene["resolved_by"]) == ("HGNC:7", "withdrawn symbol")
    assert gene["withdrawn_at"] is not None
    assert gene["successor"]["symbol"] == "PKD1"


@pytest.mark.parametrize(
    ("name", "kind", "candidates"),
    [("SHARED", "previous symbol", ["ABCA3X", "PKD1"]), ("both", "alias", ["THREE", "TTN"])],
)
async def test_an_ambiguous_name_is_refused_with_the_genes_that_it_could_mean(
    api: Any, named: None, name: str, kind: str, candidates: list[str]
) -> None:
    answer = await api.get(f"/api/genes/{name}")
    assert answer.status_code == 409
    body = answer.json()
    assert f"{name!r} is the {kind} of several genes" in body["error"]
    assert [each["symbol"] for each in body["candidates"]] == candidates
    assert [each["id"] is None for each in body["candidates"]] == [True, False]


@pytest.mark.parametrize("name", ["ABCA3X", "CMD9", "HGNC:2"])
async def test_the_name_of_an_approved_gene_that_is_not_imported_means_no_other_gene(
    api: Any, named: None, name: str
) -> None:
    answer = await api.get(f"/api/genes/{name}")
    assert answer.status_code == 404
    assert "ABCA3X (HGNC:2) is not in this database" in answer.json()["error"]
    assert "genes-import" in answer.json()["remedy"]


async def test_names_are_resolved_in_their_order(api, named) -> None:
    names = ["TTN", "NOSUCH", "SHARED", "ABCA3X", "PBP", "x\0y", ""]
    answer = await api.get("/api/resolve", params={"name": names})
    found = answer.json()["names"]
    assert [each["name"] for each in found] == names
    assert [each["resolved_by"] for each in found] == [
        "symbol", None, "previous symbol", "symbol", "withdrawn symbol", None, None,
    ]  # fmt: skip
    assert [each["gene"] and each["gene"]["symbol"] for each in found] == [
        "TTN", None, None, "ABCA3X", "PBP", None, None,
    ]  # fmt: skip
    assert [len(each["candidates"]) for each in found] == [0, 0, 2, 0, 0, 0, 0]
    assert found[3]["gene"]["id"] is None
    assert found[4]["successor"]["symbol"] == "PKD1"


@pytest.mark.parametrize(
    "params", [{}, {"name": ["x"] * 201}, {"name": ["x" * 101]}, {"names": ["x"]}]
)
async def test_the_names_to_resolve_have_their_bounds(api: Any, named: None, params: Any) -> None:
    assert (await api.get("/api/resolve", params=params)).status_code == 422
