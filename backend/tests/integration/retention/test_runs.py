"""Which runs are removed when they are old, and which stay because something needs them."""

import asyncio
import re

import pytest
from sqlalchemy import text

from app.annotation.data import run_names
from app.annotation.data.run_names import list_named
from app.annotation.refresh.coverage import held_sources, last_successes
from app.core.retention import runs as module
from app.core.retention.runs import OldRuns
from app.core.runs import operations, totals
from app.core.runs.request import RunRequest
from tests.integration.conftest import Bench, Query
from tests.integration.retention.made import DAYS, add_run, left, remove_runs
from tests.people import ADA


async def test_an_old_run_goes_with_its_sources_events_and_log(bench: Bench, query: Query) -> None:
    add_run(query, 500)
    newer = [add_run(query, 399), add_run(query, 10)]
    await remove_runs(bench.db)
    assert left(query) == newer
    for table in ("run_sources", "run_events", "attempt_logs"):
        found = query(f"SELECT DISTINCT run_id FROM {table} ORDER BY 1")
        assert [row["run_id"] for row in found] == newer


@pytest.mark.parametrize("state", ["queued", "running"])
async def test_an_active_run_stays_however_old_it_is(
    bench: Bench, query: Query, state: str
) -> None:
    active = add_run(query, 900)
    query("UPDATE runs SET state = %s", state)
    last = add_run(query, 10)
    await remove_runs(bench.db)
    assert left(query) == [active, last]


ANNOTATION = """
INSERT INTO annotations (gene_id, source, state, checked_state, {})
VALUES (1, 'x', 'found', 'found', %s)
"""

FORMER = """
INSERT INTO annotation_history (gene_id, source, state, valid_from, valid_to, origin_ids,
  origin_since, {})
VALUES (1, 'x', 'found', '2020-01-01', '2021-01-01', '{{}}', '{{}}', %s)
"""

REFERENCES = {
    "an annotation that was checked": ANNOTATION.format("checked_run_id"),
    "an annotation that was fetched": ANNOTATION.format("fetched_run_id"),
    "an annotation that was changed": ANNOTATION.format("changed_run_id"),
    "a former answer that it replaced": FORMER.format("run_id"),
    "a former answer that it brought": FORMER.format("changed_run_id"),
    "a former answer that it fetched": FORMER.format("fetched_run_id"),
    "an event of a gene": "INSERT INTO gene_events (gene_id, event, run_id)"
    " VALUES (1, 'withdrawn', %s)",
    "an accepted file": "INSERT INTO accepted_files (source, name, digest, rows, genes, release,"
    " accepted_run_id) VALUES ('x', 'f', 'd', 1, 1, 'r', %s)",
    "a tick": "INSERT INTO schedule_ticks (schedule_id, tick, outcome, run_id)"
    " VALUES (1, '2020-01-01', 'ran', %s)",
    "a schedule with a queued tick": "UPDATE schedules SET queued_behind = %s",
    "an open incident": "INSERT INTO incidents (kind, subject, title, run_id)"
    " VALUES ('run failed', 'x', 't', %s)",
}


@pytest.mark.usefixtures("genes")
@pytest.mark.parametrize("reference", REFERENCES)
async def test_a_run_stays_while_something_names_it(
    bench: Bench, query: Query, reference: str
) -> None:
    query(
        "INSERT INTO schedules (name, kind, every, next_at, by)"
        " VALUES ('s', 'release', 60, '2100-01-01', 'ada')"
    )
    named, _, last = (add_run(query, ended) for ended in (600, 500, 10))
    query(REFERENCES[reference], named)
    await remove_runs(bench.db)
    assert left(query) == [named, last]


async def test_the_last_success_of_each_source_stays(bench: Bench, query: Query) -> None:
    add_run(query, 700, sources=("clinvar", "hgnc"))
    of_both = add_run(query, 600, sources=("clinvar", "hgnc"))
    of_hgnc = add_run(query, 500)
    async with bench.db.connect() as connection:
        before = await last_successes(connection)
    await remove_runs(bench.db)
    async with bench.db.connect() as connection:
        assert await last_successes(connection) == before
    assert left(query) == [of_both, of_hgnc]


async def test_a_success_of_some_genes_does_not_stand_for_one_of_all(
    bench: Bench, query: Query
) -> None:
    of_all = add_run(query, 600)
    add_run(query, 500, genes=["HGNC:1"])
    of_some = add_run(query, 10, genes=["HGNC:1"])
    await remove_runs(bench.db)
    assert left(query) == [of_all, of_some]


async def test_a_reopened_run_may_be_the_last_success_although_later_runs_succeeded(
    bench: Bench, query: Query
) -> None:
    reopened, later, _ = (add_run(query, ended) for ended in (500, 650, 600))
    last = add_run(query, 610)
    query("UPDATE run_sources SET source = 'x' WHERE run_id = %s", last)
    async with bench.db.connect() as connection:
        before = await last_successes(connection)
    await remove_runs(bench.db)
    async with bench.db.connect() as connection:
        assert await last_successes(connection) == before
    assert reopened in left(query)
    assert later not in left(query)


async def test_the_last_run_that_fetched_something_stays(bench: Bench, query: Query) -> None:
    add_run(query, 700, done=5)
    fetched = add_run(query, 600, done=5)
    add_run(query, 500)
    last = add_run(query, 10)
    await remove_runs(bench.db)
    assert left(query) == [fetched, last]


async def test_what_is_held_stays_and_what_is_held_no_more_is_not_held_again(
    bench: Bench, query: Query
) -> None:
    add_run(query, 700, "failed", source_state="held")
    add_run(query, 650, "failed", source_state="held")
    add_run(query, 600, sources=("clinvar", "hgnc"))
    add_run(query, 550, "failed", sources=("clinvar",), source_state="held")
    async with bench.db.connect() as connection:
        before = await held_sources(connection)
    assert before.keys() == {"clinvar"}
    await remove_runs(bench.db)
    async with bench.db.connect() as connection:
        assert await held_sources(connection) == before


@pytest.mark.parametrize("state", ["failed", "cancelled"])
async def test_the_run_that_a_resumed_request_reopens_stays(
    bench: Bench, query: Query, state: str
) -> None:
    add_run(query, 800, state)
    latest = add_run(query, 700, state)
    other = add_run(query, 650, state, genes=["HGNC:1"])
    add_run(query, 600)
    last = add_run(query, 10)
    await remove_runs(bench.db)
    assert left(query) == [latest, other, last]
    async with bench.db.begin() as connection:
        reopened = await operations.reopen(connection, RunRequest.of(["hgnc"], "smart"), actor=ADA)
    assert reopened is not None
    assert reopened.run_id == latest


async def test_a_failed_run_does_not_become_the_last_of_its_request(
    bench: Bench, query: Query
) -> None:
    failed = add_run(query, 800, "failed")
    succeeded = add_run(query, 700)
    of_all = add_run(query, 10, sources=("clinvar", "hgnc"))
    await remove_runs(bench.db)
    # or else the doctor would say that the request has failed
    assert left(query) == [failed, succeeded, of_all]


async def test_counters_do_not_fall(bench: Bench, query: Query) -> None:
    for ended in range(500, 500 + 20):
        add_run(query, ended)
    last = add_run(query, 10)
    async with bench.db.connect() as connection:
        before = await totals.event_totals(connection)
    await remove_runs(bench.db)
    assert left(query) == [last]
    async with bench.db.connect() as connection:
        assert await totals.event_totals(connection) == before


async def test_a_run_that_somebody_is_reopening_stays(bench: Bench, query: Query) -> None:
    first, second = add_run(query, 700, "failed"), add_run(query, 650, "failed")
    third = add_run(query, 600, "failed")
    async with bench.db.begin() as connection:
        await operations.retry(connection, first, actor=ADA)
        # what this transaction holds, nobody waits for
        await asyncio.wait_for(remove_runs(bench.db), timeout=60)
        assert left(query) == [first, third]
        await connection.rollback()
    await remove_runs(bench.db)
    assert left(query) == [third]
    assert second not in left(query)


async def test_two_workers_at_once_remove_what_one_would(
    bench: Bench, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BATCH", 7)
    for ended in range(900, 500, -4):
        add_run(query, ended)
    last = add_run(query, 10)
    async with bench.db.connect() as connection:
        before = await totals.event_totals(connection)
    await asyncio.gather(remove_runs(bench.db), remove_runs(bench.db))
    assert left(query) == [last]
    async with bench.db.connect() as connection:
        assert await totals.event_totals(connection) == before


async def test_a_batch_is_small_and_runs_that_stay_are_passed_once(
    bench: Bench, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BATCH", 4)
    for number in range(10):
        add_run(query, 600 - number, "failed", genes=[f"HGNC:{number}"])
    add_run(query, 500)
    add_run(query, 450)
    keeper, parts = OldRuns(DAYS, list_named), 1
    while True:
        async with bench.db.begin() as connection:
            if not await keeper.remove(connection):
                break
        parts += 1
    assert parts == 4  # of 4, 4 and 4 runs, and one that finds nothing more
    assert len(left(query)) == 11
    async with bench.db.begin() as connection:
        assert await keeper.remove(connection)  # the next pass begins with the first run


@pytest.mark.usefixtures("genes")
async def test_references_are_looked_up_in_indexes(bench: Bench, query: Query) -> None:
    # all rows name the same run, so that PostgreSQL believes that any row would do
    query(
        "INSERT INTO annotations (gene_id, source, state, checked_state, data, checked_run_id,"
        " fetched_run_id, changed_run_id)"
        " SELECT 1, 's' || n, 'found', 'found', '{}', 9000, 9000, 8999"
        " FROM generate_series(1, 5000) n"
    )
    query("ANALYZE annotations")
    async with bench.db.connect() as connection:
        statement = text(f"EXPLAIN {run_names._NAMED}")
        plan = (await connection.execute(statement, {"ids": list(range(500))})).scalars().all()
    assert any("annotations_checked_run_idx" in line for line in plan)
    assert not [line for line in plan if re.search(r"Seq Scan on annotations\b", line)]
