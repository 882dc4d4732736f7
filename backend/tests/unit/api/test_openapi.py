import pytest


async def test_the_description_names_every_address_of_the_contract(app) -> None:
    described = app.openapi()
    assert set(described["paths"]) == {
        "/api/admin/runs",
        "/api/admin/runs/{run_id}",
        "/api/admin/runs/{run_id}/events",
        "/api/admin/runs/{run_id}/cancel",
        "/api/admin/runs/{run_id}/retry",
        "/api/admin/worker-status",
        "/api/genes",
        "/api/genes/{name}",
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
    assert run["attempts"]["description"] == "1 + failures."
