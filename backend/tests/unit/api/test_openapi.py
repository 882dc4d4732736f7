from typing import Any

import pytest

from app.annotation.sources import SOURCES


async def test_the_description_names_every_address_of_the_contract(app) -> None:
    described = app.openapi()
    assert set(described["paths"]) >= {
        "/api/admin/lists/{name}",
        "/api/admin/runs",
        "/api/admin/runs/{run_id}",
        "/api/admin/runs/{run_id}/events",
        "/api/admin/runs/{run_id}/cancel",
        "/api/admin/runs/{run_id}/retry",
        "/api/admin/runs/{run_id}/accept",
        "/api/admin/snapshots",
        "/api/admin/snapshots/{name}",
        "/api/admin/sources/{source}/rollback",
        "/api/admin/worker-status",
        "/api/genes",
        "/api/genes/query",
        "/api/genes/{name}",
        "/api/genes/{name}/history",
        "/api/lists",
        "/api/lists/{name}",
        "/api/resolve",
        "/api/sources",
        "/api/snapshots",
        "/api/snapshots/{name}",
        "/api/snapshots/{name}/citation",
        "/api/sources/{name}/schema",
        "/health/live",
        "/health/ready",
        "/metrics",
    }
    start = described["paths"]["/api/admin/runs"]["post"]
    assert start["security"] == [{"HTTPBearer": []}]
    assert {"200", "202", "401", "409", "413", "422", "503"} <= set(start["responses"])


@pytest.mark.parametrize("page", ["/docs", "/redoc"])
async def test_there_is_no_page_that_loads_its_scripts_from_elsewhere(client, page) -> None:
    answer = await client.get(page)
    assert answer.status_code == 404
    assert "/openapi.json" in answer.json()["allowed"]


async def test_a_field_is_described_by_its_docstring(app) -> None:
    run = app.openapi()["components"]["schemas"]["Run"]["properties"]
    assert run["attempts"]["description"] == (
        "1 + the number of failed or timed-out attempts that another one followed."
    )


def values(schema: Any) -> Any:
    """What a field, or each item of it, may be."""
    for each in schema.get("anyOf", [schema]):
        if "enum" in each or "items" in each:
            return each.get("enum") or values(each["items"])
    return None


async def test_it_lists_the_accepted_values(app) -> None:
    new = app.openapi()["components"]["schemas"]["NewRun"]["properties"]
    assert values(new["sources"]) == list(SOURCES)
    assert values(new["mode"]) == ["smart", "full"]


async def test_it_lists_the_values_of_an_answer(app) -> None:
    schemas = app.openapi()["components"]["schemas"]
    for name, field, some in (
        ("Run", "state", "failed"),
        ("Run", "mode", "full"),
        ("RunDetail", "state", "failed"),
        ("SourceProgress", "state", "failed"),
        ("Accepted", "state", "running"),
        ("Changed", "state", "cancelled"),
        ("Annotation", "state", "absent"),
        ("Annotation", "checked_state", "unknown"),
        ("Worker", "kind", "arq"),
        ("Ready", "redis", "away"),
    ):
        assert some in values(schemas[name]["properties"][field]), (name, field)
