"""Who did something to a run is recorded, and runs are found by it."""

import re

import pytest
from sqlalchemy import text

from app.core.runs import operations, views
from app.core.runs.actors import Actor, Way, is_named, list_actors
from app.core.runs.filters import RunFilter, read_filter
from app.core.runs.request import RunRequest
from app.core.runs.views import list_runs
from tests.integration.conftest import Bench, Query
from tests.people import ADA

BOB = Actor("bob", Way.PAGES)


async def actors_of(bench: Bench, run_id: int) -> list[tuple[str, str | None]]:
    async with bench.db.connect() as connection:
        found = await views.list_events(connection, run_id, limit=50)
    return [(each.event, each.actor) for each in found.events]


async def found(bench: Bench, actor: str, **more: str) -> list[int]:
    async with bench.db.connect() as connection:
        page = await list_runs(connection, limit=50, only=read_filter(actor=actor, **more))
    return [run.id for run in page.runs]


async def test_the_event_contains_the_actor(bench: Bench) -> None:
    run_id = (await bench.request()).ref.run_id
    async with bench.db.begin() as connection:
        await operations.cancel(connection, run_id, actor=BOB)
        await operations.reopen(connection, RunRequest.of(["a"]), actor=ADA)

    assert await actors_of(bench, run_id) == [
        ("created", "ada@lab3, CLI"),
        ("cancelled", "bob, pages"),
        ("reopened", "ada@lab3, CLI"),
    ]


async def test_the_same_request_is_not_recorded_twice(bench: Bench) -> None:
    run_id = (await bench.request()).ref.run_id
    async with bench.db.begin() as connection:
        await operations.create(connection, RunRequest.of(["a"]), ["a"], actor=BOB)

    assert await actors_of(bench, run_id) == [("created", "ada@lab3, CLI")]


@pytest.mark.parametrize(
    ("name", "means"),
    [
        ("ada", True),
        ("ada@lab3", True),
        ("ada@lab3, CLI", True),
        ("ad", False),
        ("ada@lab", False),
        ("CLI", False),
        ("", False),
    ],
)
def test_a_name_refers_to_a_person_in_each_way(name: str, means: bool) -> None:  # noqa: FBT001
    assert is_named(str(ADA), name) is means


async def test_runs_are_found_by_actor(bench: Bench) -> None:
    first = (await bench.request(["a"])).ref.run_id
    second = (await bench.request(["b"])).ref.run_id
    async with bench.db.begin() as connection:
        await operations.cancel(connection, first, actor=BOB)

    assert await found(bench, "ada") == [second, first]
    assert await found(bench, "bob, pages") == [first]
    assert await found(bench, "ada", states=["cancelled"]) == [first]
    assert await found(bench, "bo") == []


async def test_a_long_and_impossible_name_is_stored_shortened(bench: Bench) -> None:
    odd = Actor("x\x00\udcff" * 200, Way.API)
    async with bench.db.begin() as connection:
        await operations.create(connection, RunRequest.of(["a"]), ["a"], actor=odd)
        (name,) = await list_actors(connection)

    assert name == str(odd)
    assert len(name) < 210


async def test_runs_are_found_by_their_actor_in_an_index(bench: Bench, query: Query) -> None:
    query(
        "INSERT INTO runs (task, sources, mode, state, finished_at)"
        " SELECT 't', '{a}', 'smart', 'succeeded', now() FROM generate_series(1, 20000)"
    )
    query(
        "INSERT INTO run_events (run_id, epoch, event, actor)"
        " SELECT id, 1, 'created', CASE WHEN id = 77 THEN 'ada@lab3, CLI' ELSE 'weekly, schedule'"
        " END FROM runs"
    )
    query("ANALYZE runs")
    query("ANALYZE run_events")
    page = views.page(RunFilter(actor="ada"), ["ada@lab3, CLI"], before=None, limit=50)
    statement = page.compile(dialect=bench.db.dialect, compile_kwargs={"literal_binds": True})

    async with bench.db.connect() as connection:
        plan = (await connection.execute(text(f"EXPLAIN {statement}"))).scalars().all()

    assert await found(bench, "ada") == [77]
    assert any("run_events_actor_idx" in line for line in plan), plan
    assert not [line for line in plan if re.search(r"Seq Scan on (runs|run_events)\b", line)], plan
