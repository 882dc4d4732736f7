"""Genes are sorted by what a source says about them, and pages miss and repeat none of them."""

import json
from collections.abc import Callable
from typing import Any

import pytest

SOURCE = "clinvar"


def answer(number: int) -> tuple[str, Any]:
    """What the source says about a gene: few values that many genes have, and all ways to have
    none."""
    match number % 7:
        case 0:
            return "absent", None
        case 1:
            return "unknown", None
        case 2:
            return "found", {"germline": None, "last_evaluated": None, "unknown_terms": None}
        case 3:
            # of other types than the fields: an older version may have stored them
            other = {"germline": {"pathogenic": "9"}, "last_evaluated": 9, "unknown_terms": [1]}
            return "found", other
    few = number % 3
    return "found", {
        "germline": {"pathogenic": few * 1_000_000_000_000},
        "last_evaluated": f"202{few}-01-01",
        "unknown_terms": {f"term {n}": [n, n, n] for n in range(few)},
        "review_status": {"no assertion": few / 8},
    }


KEYS: dict[str, Callable[[Any], Any]] = {
    "clinvar.germline.pathogenic": lambda data: (data.get("germline") or {}).get("pathogenic"),
    "clinvar.last_evaluated": lambda data: data.get("last_evaluated"),
    "clinvar.unknown_terms": lambda data: data.get("unknown_terms"),
    'clinvar.review_status."no assertion"': lambda data: data.get("review_status", {}).get(
        "no assertion"
    ),
}
TYPES: dict[str, Any] = {
    "clinvar.germline.pathogenic": int,
    "clinvar.last_evaluated": str,
    "clinvar.unknown_terms": dict,
    'clinvar.review_status."no assertion"': float,
}


def expected(order: str, stored: dict[str, Any]) -> list[str]:
    """The genes as the order sorts them; they were imported in the order of their symbols."""
    by = order.removeprefix("-")
    values = {}
    for symbol, data in stored.items():
        value = KEYS[by](data or {})
        if isinstance(value, TYPES[by]):
            values[symbol] = len(value) if isinstance(value, dict) else value
    have = sorted(values, key=values.__getitem__, reverse=order.startswith("-"))
    return [*have, *(symbol for symbol in stored if symbol not in values)]


@pytest.fixture
def stored(query) -> dict[str, Any]:
    """Many genes with few different answers; of some, the source has not been asked."""
    found = {}
    for number in range(61):
        symbol = f"G{number:02}"
        found[symbol] = None
        query("INSERT INTO genes (hgnc_id, symbol) VALUES (%s, %s)", f"HGNC:{number}", symbol)
        if number > 55:
            continue
        state, data = answer(number)
        found[symbol] = data
        query(
            "INSERT INTO annotations (gene_id, source, state, data, checked_state)"
            " SELECT id, 'clinvar', %s, CAST(%s AS jsonb), %s FROM genes WHERE symbol = %s",
            state,
            None if data is None else json.dumps(data),
            state,
            symbol,
        )
    return found


async def pages(api: Any, **params: Any) -> list[list[str]]:
    found: list[list[str]] = []
    after: dict[str, int] = {}
    while True:
        answered = await api.get("/api/genes", params={"sources": "clinvar", **params, **after})
        assert answered.status_code == 200, answered.text
        page = answered.json()
        found.append([gene["symbol"] for gene in page["genes"]])
        if page["next_after"] is None:
            return found
        after = {"after": page["next_after"]}


@pytest.fixture
async def empty_api(arq_settings, serve) -> Any:
    async with serve(arq_settings) as client:
        yield client


@pytest.mark.parametrize("by", KEYS)
async def test_pages_follow_each_other_through_equal_values_and_none(empty_api, stored, by) -> None:
    for order in (by, f"-{by}"):
        whole = expected(order, stored)
        for limit in (4, 9, 61):
            found = await pages(empty_api, order=order, limit=limit)
            assert [symbol for page in found for symbol in page] == whole


async def test_an_order_goes_together_with_filters(empty_api, stored) -> None:
    order = "-clinvar.germline.pathogenic"
    whole = expected(order, stored)
    for params, holds in (
        ({"prefix": "g1"}, lambda symbol: symbol.startswith("G1")),
        ({"where": "clinvar.state=found"}, lambda symbol: stored[symbol] is not None),
        (
            {"where": "clinvar.germline.pathogenic>0"},
            lambda symbol: (
                symbol in whole[: whole.index(symbol) + 1]
                and isinstance(KEYS[order[1:]](stored[symbol] or {}), int)
                and KEYS[order[1:]](stored[symbol]) > 0
            ),
        ),
    ):
        found = await pages(empty_api, order=order, limit=5, **params)
        symbols = [symbol for page in found for symbol in page]
        assert symbols == [symbol for symbol in whole if holds(symbol)]
        assert symbols


async def test_an_export_has_the_same_genes_in_the_same_order(empty_api, stored) -> None:
    params = {"order": "-clinvar.germline.pathogenic", "prefix": "g"}
    table = await empty_api.get("/api/export", params={**params, "fields": "clinvar.variants"})
    rows = [line.split("\t") for line in table.text.splitlines()[1:]]
    assert [row[1] for row in rows] == expected(params["order"], stored)
    some = await empty_api.get("/api/export", params={**params, "prefix": "G5"})
    assert len(some.text.splitlines()) == 1 + 10


async def test_the_order_is_that_of_the_moment(empty_api, stored, query) -> None:
    query("UPDATE genes SET created_at = '2025-01-01'")
    query("UPDATE annotations SET valid_from = '2025-01-01'")
    order = "-clinvar.germline.pathogenic"
    then = expected(order, stored)
    query(
        "INSERT INTO annotation_history (gene_id, source, state, data, valid_from, valid_to,"
        " origin_ids, origin_since) SELECT gene_id, source, state, data, valid_from, '2025-03-01',"
        " '{}', '{}' FROM annotations"
    )
    query(
        "UPDATE annotations SET state = 'found', valid_from = '2025-03-01',"
        """ data = jsonb_build_object('germline', jsonb_build_object('pathogenic', gene_id))"""
    )
    found = await pages(empty_api, order=order, limit=9, as_of="2025-02-01")
    assert [symbol for page in found for symbol in page] == then
    now = await pages(empty_api, order=order, limit=9)
    assert now[0][0] == "G55"


@pytest.mark.parametrize(
    ("order", "found", "hint"),
    [
        ("clinvar.germline.pathogenik", "there is no field", "did you mean clinvar.germline.path"),
        ("-clinvra.variants", "there is no source 'clinvra'", "did you mean clinvar?"),
        ("clinvar.germline", "there are fields below it", ""),
        ("panelapp.panels.confidence", "is a field of the elements of a list", ""),
        ('gtex.tissues_tpm."\0"', "the name", ""),
        ("--symbol", "there is no order '--symbol'", "did you mean -symbol?"),
        ("", "there is no order ''", ""),
    ],
)
async def test_an_unknown_order_is_refused(empty_api, order, found, hint) -> None:
    answered = await empty_api.get("/api/genes", params={"order": order})
    assert answered.status_code == 422
    assert found in answered.json()["error"]
    assert hint in answered.json()["error"]
    assert answered.json()["allowed"]


async def test_a_prefix_means_its_own_characters(api) -> None:
    for prefix, symbols in (
        ("pk", ["PKD1"]),
        ("C1ORF", ["C1orf112"]),
        ("%", []),
        ("PKD_", []),
        ("KD", []),
    ):
        page = (await api.get("/api/genes", params={"prefix": prefix})).json()
        assert [gene["symbol"] for gene in page["genes"]] == symbols
    refused = await api.get("/api/genes", params={"prefix": "\0"})
    assert refused.status_code == 422
