"""Whatever is stored: after retention each read answers as before, or says that it is gone."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import httpx
import psycopg
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.annotation.refresh import coverage, forecast
from app.annotation.settings import Settings
from app.core.retention import notifications, ticks, workers
from app.core.runs import checks, operations, totals
from app.core.schedules import ticks as schedules
from app.db.engine import create_engine
from app.main import create_app
from harness.timing import WAIT, scaled
from tests.integration.retention.made import all_parts, remove_runs

DAYS = 400
SOURCES = ("clinvar", "hgnc")
GENES = ("PKD1", "TTN")
ENDED = ("succeeded", "failed", "cancelled")
SNAPSHOTS = ("early", "late")

_AGE = re.compile(r'"(median|oldest)_age":[0-9.]+|"counted_at":"[^"]+"')
"""What changes from one moment to the next."""

AGES = st.sampled_from([1, 399, 401, 500, 501, 600, 601, 700, 701, 800])
"""In days. Retention decides at 400."""


@dataclass
class Run:
    sources: tuple[str, ...] | None
    genes: list[str] | None
    mode: str
    state: str
    age: int
    parts: list[tuple[str, int, int]]
    """State, done and confirmed of each source."""
    worker: int | None

    @property
    def covers(self) -> tuple[str, ...]:
        return self.sources or SOURCES


@dataclass
class World:
    """What is stored. A run is named by its number, which is its id; 0 stands for none."""

    runs: list[Run]
    answers: list[tuple[int, str, str, int, list[int]]]
    """Gene, source, state, age, and the runs that checked, fetched and changed it."""
    former: list[tuple[int, str, str, int, list[int]]]
    ticks: list[tuple[int, str, int]]
    """Age, outcome and run."""
    behind: int
    incident: int
    accepted: int
    snapshots: list[int]
    workers: list[int] = field(default_factory=list)


@st.composite
def runs(draw: st.DrawFn) -> Run:
    sources = draw(st.sampled_from([None, ("clinvar",), ("hgnc",), SOURCES]))
    state = draw(st.sampled_from(ENDED))
    states = ["succeeded"] if state == "succeeded" else [*ENDED, "held"]
    part = st.tuples(st.sampled_from(states), st.integers(0, 3), st.integers(0, 1))
    covers = len(sources or SOURCES)
    return Run(
        sources,
        draw(st.sampled_from([None, None, ["HGNC:1"]])),
        draw(st.sampled_from(["smart", "smart", "full"])),
        state,
        draw(AGES),
        draw(st.lists(part, min_size=covers, max_size=covers)),
        draw(st.sampled_from([None, 1, 2])),
    )


@st.composite
def worlds(draw: st.DrawFn) -> World:
    made = draw(st.lists(runs(), min_size=10, max_size=24))
    # most runs are named by nothing
    named = st.sampled_from([0] * len(made) + list(range(1, len(made) + 1)))
    slots = st.tuples(st.integers(1, len(GENES)), st.sampled_from(SOURCES))
    answer = st.tuples(
        st.sampled_from(["found", "absent", "unknown"]),
        AGES,
        st.lists(named, min_size=3, max_size=3),
    )
    return World(
        made,
        [(*slot, *of) for slot, of in draw(st.dictionaries(slots, answer, max_size=4)).items()],
        [(*slot, *of) for slot, of in draw(st.dictionaries(slots, answer, max_size=4)).items()],
        draw(
            st.lists(
                st.tuples(AGES, st.sampled_from(["ran", "skipped", "missed"]), named),
                max_size=3,
                unique_by=lambda tick: tick[0],
            )
        ),
        draw(named),
        draw(named),
        draw(named),
        draw(st.lists(AGES, max_size=len(SNAPSHOTS))),
        draw(st.lists(AGES, min_size=2, max_size=2)),
    )


MANIFEST = '{"product": "0", "at": "2026-01-01T00:00:00Z", "genes": 2, "sources": {}}'

AGO = "now() - make_interval(days => %s)"


def store(world: World, dsn: str) -> None:
    """Put it into the database, in place of what was there."""
    with psycopg.connect(dsn) as connection:
        do = connection.execute
        do(
            "TRUNCATE genes, runs, workers, schedules, incidents, snapshots, accepted_files,"
            " event_totals, source_totals RESTART IDENTITY CASCADE"
        )
        for number, symbol in enumerate(GENES, 1):
            do(
                f"INSERT INTO genes (hgnc_id, symbol, created_at) VALUES (%s, %s, {AGO})",
                [f"HGNC:{number}", symbol, 1_000],
            )
        for age in world.workers:
            do(
                "INSERT INTO workers (kind, host, pid, session, version, heartbeat_at, started_at)"
                f" VALUES ('arq', 'h', 1, 's', '1', {AGO}, {AGO})",
                [age, age],
            )
        for number, run in enumerate(world.runs, 1):
            _store_run(connection, number, run)
        for gene, source, state, age, (checked, fetched, changed) in world.answers:
            do(
                "INSERT INTO annotations (gene_id, source, state, data, checked_state, checked_at,"
                " fetched_at, valid_from, checked_run_id, fetched_run_id, changed_run_id)"
                f" VALUES (%s, %s, %s, %s, %s, {AGO}, {AGO}, {AGO}, %s, %s, %s)",
                [gene, source, state, _data(state, 1), state, age, age, age]
                + [each or None for each in (checked, fetched, changed)],
            )
        for gene, source, state, age, (replaced, fetched, changed) in world.former:
            do(
                "INSERT INTO annotation_history (gene_id, source, state, data, valid_from,"
                " valid_to, origin_ids, origin_since, run_id, fetched_run_id, changed_run_id)"
                f" VALUES (%s, %s, %s, %s, {AGO}, {AGO}, '{{}}', '{{}}', %s, %s, %s)",
                [gene, source, state, _data(state, 2), age + 99, age]
                + [each or None for each in (replaced, fetched, changed)],
            )
        do(
            "INSERT INTO schedules (name, kind, every, next_at, by, queued_behind)"
            " VALUES ('weekly', 'release', 60, '2100-01-01', 'ada', %s)",
            [world.behind or None],
        )
        for age, outcome, run_id in world.ticks:
            do(
                "INSERT INTO schedule_ticks (schedule_id, tick, outcome, run_id, at)"
                f" VALUES (1, {AGO}, %s, %s, {AGO})",
                [age, outcome, run_id or None, age],
            )
        if world.incident:
            do(
                "INSERT INTO incidents (kind, subject, title, run_id) VALUES ('k', 's', 't', %s)",
                [world.incident],
            )
        if world.accepted:
            do(
                "INSERT INTO accepted_files (source, name, digest, rows, genes, release,"
                " accepted_run_id) VALUES ('hgnc', 'f', 'd', 1, 1, 'r', %s)",
                [world.accepted],
            )
        for name, age in zip(SNAPSHOTS, world.snapshots, strict=False):
            do(
                f"INSERT INTO snapshots (name, at, by, manifest) VALUES (%s, {AGO}, 'ada', %s)",
                [name, age, MANIFEST],
            )


def _data(state: str, number: int) -> str | None:
    return f'{{"name": "n{number}"}}' if state == "found" else None


def _store_run(connection: psycopg.Connection[Any], number: int, run: Run) -> None:
    connection.execute(
        "INSERT INTO runs (task, sources, genes, mode, state, worker_id, created_at, started_at,"
        " attempt_started_at, finished_at)"
        f" SELECT 'run_annotation_pipeline_task', %s::text[], %s::text[], %s, %s, %s,"
        f" t - interval '2 min', t - interval '1 min', t - interval '1 min', t FROM (SELECT {AGO}"
        " + make_interval(secs => %s) AS t) given",
        [
            *(None if run.sources is None else list(run.sources), run.genes, run.mode, run.state),
            *(run.worker, run.age, number),
        ],
    )
    covered = zip(run.covers, run.parts, strict=True)
    for position, (source, (state, done, confirmed)) in enumerate(covered):
        connection.execute(
            "INSERT INTO run_sources (run_id, source, position, active, state, done, found,"
            " confirmed, attempt_started_at, started_at, finished_at)"
            " SELECT id, %s, %s, false, %s, %s, %s, %s, started_at, started_at,"
            " CASE WHEN %s <> 'cancelled' THEN finished_at END FROM runs WHERE id = %s",
            [source, position, state, done, done, confirmed, state, number],
        )
    for name in ("created", "claimed", run.state):
        connection.execute(
            "INSERT INTO run_events (run_id, at, epoch, event, detail) SELECT id, finished_at, 1,"
            " %s, jsonb_strip_nulls(jsonb_build_object('worker', worker_id)) FROM runs"
            " WHERE id = %s",
            [name, number],
        )


def paths(world: World) -> list[str]:
    """What is read over HTTP of genes and of each run."""
    found = ["/api/genes", "/api/sources", "/api/snapshots", "/api/changes?since=2000-01-01"]
    # one export an example, because each starts a process
    of = f"&snapshot={SNAPSHOTS[0]}" if world.snapshots else ""
    found += [f"/api/export?format=jsonl{of}"]
    for symbol in GENES:
        found += [f"/api/genes/{symbol}", f"/api/genes/{symbol}/history"]
    for name in SNAPSHOTS[: len(world.snapshots)]:
        found += [f"/api/genes/PKD1?snapshot={name}", f"/api/changes?from={name}"]
        found += [f"/api/snapshots/{name}"]
    for number in range(1, len(world.runs) + 1):
        found += [f"/api/admin/runs/{number}", f"/api/admin/runs/{number}/events"]
        found += [f"/api/changes?run={number}"]
    return found


async def read(client: httpx.AsyncClient, world: World) -> dict[str, tuple[int, str]]:
    answers = {}
    for path in paths(world):
        answer = await client.get(path)
        answers[path] = (answer.status_code, _AGE.sub("", answer.text))
    return answers


async def reckon(connection: AsyncConnection) -> dict[str, Any]:
    """What the engine and the doctor conclude from the runs that are there."""
    oldest = [
        (await connection.execute(schedules._OLDEST, {"covers": list(covers)})).scalar_one()
        for covers in (("clinvar",), ("hgnc",), SOURCES)
    ]
    last = [
        (await connection.execute(forecast._LAST, {"source": source})).one_or_none()
        for source in SOURCES
    ]
    requests = [
        (mode, sources, genes)
        for mode in ("smart", "full")
        for sources in (None, ["clinvar"], ["hgnc"], [*SOURCES])
        for genes in (None, ["HGNC:1"])
    ]
    reopened = [
        (
            await connection.execute(
                operations._LATEST_ENDED, {"mode": mode, "sources": sources, "genes": genes}
            )
        ).scalar_one_or_none()
        for mode, sources, genes in requests
    ]
    newest = {"newest": checks.NEWEST_RUNS}
    return {
        "freshness": oldest,
        "forecast": last,
        "resume": reopened,
        "last successes": await coverage.last_successes(connection),
        "held": await coverage.held_sources(connection),
        "runs.held": (await connection.execute(text(checks._HELD), newest)).all(),
        "runs.failing": (
            await connection.execute(
                text(checks._FAILING), newest | {"often": checks.MANY_FAILURES}
            )
        ).all(),
        "counters": await totals.event_totals(connection),
    }


@asynccontextmanager
async def serving(of: Settings) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(of)
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(
            transport=transport,
            base_url="http://api",
            headers={"Authorization": "Bearer a-token-of-the-tests"},
            timeout=scaled(WAIT),
        ) as client,
    ):
        yield client


async def retain(db: AsyncEngine) -> None:
    await all_parts(db, partial(ticks.remove, days=DAYS))
    await all_parts(db, partial(notifications.remove, days=DAYS))
    await remove_runs(db, DAYS)
    await all_parts(db, partial(workers.remove, days=30))


async def check(world: World, of: Settings) -> int:
    """Compare all reads before and after retention, and return how many runs were removed."""
    dsn = of.database_url.get_secret_value()
    db = create_engine(dsn, session="test")
    await asyncio.to_thread(store, world, dsn)
    async with serving(of) as client:
        before = await read(client, world)
        assert {status for status, _ in before.values()} <= {200}
        async with db.connect() as connection:
            reckoned = await reckon(connection)
        await retain(db)
        after = await read(client, world)
        async with db.connect() as connection:
            assert await reckon(connection) == reckoned
            left = set((await connection.execute(text("SELECT id FROM runs"))).scalars())
        listed = (await client.get("/api/admin/runs", params={"limit": 100})).json()["runs"]
    await db.dispose()
    for path, (status, body) in after.items():
        if (status, body) != before[path]:
            assert status in {404, 422}, f"{path}\n{before[path][1]}\n{body}"
            assert "was removed, or never created" in body or "there is no run" in body
    assert {each["id"] for each in listed} == left
    return len(world.runs) - len(left)


@pytest.mark.timeout(300)
@pytest.mark.usefixtures("own_logging")
def test_each_read_answers_as_before_or_says_that_it_is_gone(arq_settings: Settings) -> None:
    removed = []

    @settings(
        max_examples=8,
        # an example takes a second, so that it would take minutes to find a smaller one
        phases=[Phase.explicit, Phase.reuse, Phase.generate],
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(worlds())
    def holds(world: World) -> None:
        removed.append(asyncio.run(check(world, arq_settings)))

    holds()
    assert any(removed)
