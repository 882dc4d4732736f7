"""Genes are found by a whole name, by its beginning, or by a name that is nearly right."""

from typing import Any

import pytest

NAMES = (
    ("HGNC:9008", "symbol", "PKD1"),
    ("HGNC:9008", "previous", "PKDX"),
    ("HGNC:9008", "alias", "Pc-1"),
    ("HGNC:9008", "alias", "PKD-alias"),
    ("HGNC:12403", "symbol", "TTN"),
    ("HGNC:12403", "previous", "PKT"),
    ("HGNC:24456", "alias", "pka7"),
    # these two are not in the database
    ("HGNC:9009", "symbol", "PKD2"),
    ("HGNC:5", "symbol", "PKA"),
)


@pytest.fixture
def named(query, genes) -> None:
    for each in NAMES:
        query("INSERT INTO gene_names (hgnc_id, kind, name) VALUES (%s, %s, %s)", *each)
    query("INSERT INTO genes (hgnc_id, symbol, withdrawn_at) VALUES ('HGNC:8', 'PKB', now())")


async def search(api: Any, q: str, **params: Any) -> dict[str, Any]:
    answer = await api.get("/api/search", params={"q": q, **params})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def listed(found: dict[str, Any], part: str = "matches") -> list[tuple[str, str, str]]:
    return [(each["name"], each["kind"], each["gene"]["symbol"]) for each in found[part]]


async def test_beginnings_in_the_order_of_the_kinds_of_names_with_each_gene_once(
    api, named
) -> None:
    assert listed(await search(api, "pk")) == [
        ("PKD1", "symbol", "PKD1"),
        # not in the database, so behind those that are
        ("PKA", "symbol", "PKA"),
        ("PKD2", "symbol", "PKD2"),
        ("PKB", "withdrawn symbol", "PKB"),
        ("PKT", "previous symbol", "TTN"),
        ("pka7", "alias", "C1orf112"),
    ]


async def test_the_gene_that_the_whole_text_means_is_not_repeated(api, named) -> None:
    found = await search(api, "PKA")
    assert found["resolution"]["gene"]["hgnc_id"] == "HGNC:5"
    assert listed(found) == [("pka7", "alias", "C1orf112")]


async def test_more_than_the_limit(api, named) -> None:
    found = await search(api, "pk", limit=2)
    assert ([each["name"] for each in found["matches"]], found["more"]) == (["PKD1", "PKA"], True)
    assert (await search(api, "pk", limit=6))["more"] is False


@pytest.mark.parametrize("typed", ["PKD11", "PK1", "KPD1", "PKDI1", "pkd1.2", "PKD1-201"])
async def test_near_names_if_nothing_else_is_found(api, named, typed: str) -> None:
    found = await search(api, typed)
    assert found["matches"] == []
    assert ("PKD1", "symbol", "PKD1") in listed(found, "near")


@pytest.mark.parametrize("typed", ["", " ", "p", "%", "PK%", "p_", "\u0000", "\ud800", "x" * 1_000])
async def test_a_prefix_of_no_name_finds_nothing(api, named, typed: str) -> None:
    found = await search(api, typed.encode("utf-8", "replace").decode())
    assert found["matches"] == []
