"""`/api/sources`: what there is of each source, and what its data mean."""

from typing import Any

from httpx import AsyncClient

from app.annotation.sources import SOURCES
from tests.integration.conftest import Query


async def one(api: AsyncClient, name: str) -> dict[str, Any]:
    (found,) = (each for each in (await api.get("/api/sources")).json() if each["name"] == name)
    return dict(found)


async def test_each_source_has_its_licence_and_counts(api: AsyncClient, query: Query) -> None:
    query(
        "INSERT INTO annotations (gene_id, source, state, release, checked_state, checked_at)"
        " SELECT id, 'clinvar', CASE symbol WHEN 'PKD1' THEN 'found' ELSE 'absent' END,"
        " '2026-11-01', 'found', now() - interval '2 days' FROM genes WHERE symbol <> 'TTN'"
    )
    query(
        'INSERT INTO source_releases (source, "of", release, marker, address)'
        " VALUES ('clinvar', 'file', '2026-11-08', 'x', 'https://example.org/table')"
    )

    found = await one(api, "clinvar")
    assert [each["name"] for each in (await api.get("/api/sources")).json()] == list(SOURCES)
    assert (found["found"], found["absent"], found["unknown"], found["missing"]) == (1, 1, 0, 1)
    assert found["stored"] == [{"release": "2026-11-01", "genes": 2, "is_current": False}]
    assert [each["release"] for each in found["current"]] == ["2026-11-08"]
    assert round(found["median_age"] / 86_400) == 2
    assert found["licence"] == "public domain (NCBI)"
    assert found["held"] is None
    assert found["last_success"] is None


async def test_withdrawn_genes_do_not_count(api: AsyncClient, query: Query) -> None:
    query(
        "INSERT INTO annotations (gene_id, source, state, release, checked_state, checked_at)"
        " SELECT id, 'clinvar', 'found', CASE symbol WHEN 'PKD1' THEN 'new' ELSE 'old' END,"
        " 'found', now() - CASE symbol WHEN 'PKD1' THEN interval '1 day' ELSE '2 years' END"
        " FROM genes"
    )
    query("UPDATE genes SET withdrawn_at = now() WHERE symbol <> 'PKD1'")

    found = await one(api, "clinvar")
    assert (found["found"], found["missing"]) == (1, 0)
    assert [each["release"] for each in found["stored"]] == ["new"]
    assert round(found["oldest_age"] / 86_400) == 1


async def test_a_source_that_was_never_queried_has_no_age(api: AsyncClient) -> None:
    found = await one(api, "hgnc")

    assert (found["found"], found["missing"]) == (0, 3)
    assert (found["current"], found["stored"]) == ([], [])
    assert (found["median_age"], found["oldest_age"]) == (None, None)


async def test_the_data_of_each_source_have_a_schema_that_defines_every_field(
    api: AsyncClient,
) -> None:
    for name in SOURCES:
        schema = (await api.get(f"/api/sources/{name}/schema")).json()
        for structure in schema["$defs"].values():
            for field, described in structure["properties"].items():
                assert described.get("description"), f"{name}: {structure['title']}.{field}"


async def test_an_unknown_source_has_no_schema(api: AsyncClient) -> None:
    assert (await api.get("/api/sources/nothing/schema")).status_code == 404


async def test_a_source_stays_held_until_a_later_run_has_ended_it(
    api: AsyncClient, query: Query
) -> None:
    for state in ("held", "cancelled", "succeeded"):
        query(
            "INSERT INTO runs (task, mode, state) VALUES ('t', 'smart', %s)",
            "failed" if state == "held" else state,
        )
        query(
            "INSERT INTO run_sources (run_id, source, position, state, error, active)"
            " SELECT max(id), 'hgnc', 1, %s, 'too few rows', false FROM runs",
            state,
        )
        held = (await one(api, "hgnc"))["held"]
        # as the metric and the doctor have it
        assert held == (None if state == "succeeded" else {"run_id": 1, "reason": "too few rows"})
