"""Retention by real processes, which are killed in the middle of it."""

import asyncio
import sys

from sqlalchemy import text

from app.core.runs import totals
from harness.process import BACKEND
from harness.timing import WAIT, limit
from tests.integration.conftest import Bench, Query
from tests.integration.retention.made import add_run, left, remove_runs
from tests.plant import Plant

REMOVE_AND_WAIT = """
import asyncio, sys
from app.annotation.data.run_names import list_named
from app.core.retention.runs import OldRuns
from app.db.engine import create_engine

async def main():
    db = create_engine(sys.argv[1], session="kidney-genetics test of a kill")
    async with db.begin() as connection:
        await OldRuns(400, list_named).remove(connection)
        print("removed, and not committed", flush=True)
        await asyncio.sleep(3600)

asyncio.run(main())
"""

BACKLOG = """
WITH old AS (
  INSERT INTO runs (task, sources, mode, state, finished_at)
  SELECT 'run_pipeline_task', '{hgnc}', 'smart', 'succeeded', now() - interval '900 days'
  FROM generate_series(1, 3000) RETURNING id, state, finished_at
), covered AS (
  INSERT INTO run_sources (run_id, source, position, active, state, finished_at)
  SELECT id, 'hgnc', 1, false, state, finished_at FROM old
)
INSERT INTO run_events (run_id, at, epoch, event)
SELECT id, finished_at, 1, 'waiting' FROM old, generate_series(1, 3)
"""

SESSIONS = "SELECT FROM pg_stat_activity WHERE application_name = 'kidney-genetics test of a kill'"


async def test_a_batch_whose_process_is_killed_is_not_removed_at_all(
    bench: Bench, query: Query
) -> None:
    runs = [add_run(query, ended) for ended in (900, 800, 700, 10)]
    async with bench.db.connect() as connection:
        before = await totals.event_totals(connection)
    dsn = bench.settings.database_url.get_secret_value()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", REMOVE_AND_WAIT, dsn), cwd=BACKEND, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    assert await process.stdout.readline()
    # another worker passes the runs meanwhile, and does not wait
    async with limit(WAIT):
        await remove_runs(bench.db)
    process.kill()
    await process.wait()
    async with limit(WAIT):
        while query(SESSIONS):
            await asyncio.sleep(0.05)
    assert left(query) == runs
    async with bench.db.connect() as connection:
        assert await totals.event_totals(connection) == before
    await remove_runs(bench.db)
    assert left(query) == runs[-1:]
    async with bench.db.connect() as connection:
        assert await totals.event_totals(connection) == before


async def test_the_next_worker_removes_the_rest_of_a_backlog_after_one_was_killed(
    plant: Plant, bench: Bench, query: Query
) -> None:
    query(BACKLOG)
    last = add_run(query, 10)
    async with bench.db.connect() as connection:
        before = await totals.event_totals(connection)
    killed = plant.worker()
    async with limit(2 * WAIT):
        while (await count(bench)) > 2_500:
            await asyncio.sleep(0.01)
        killed.kill()
        # two that begin at once may meet at the first part, which one of them leaves to the other
        other = plant.worker()
        while (await count(bench)) > 1:
            await asyncio.sleep(0.05)
    assert left(query) == [last]
    async with bench.db.connect() as connection:
        after = await totals.event_totals(connection)
    assert after.counts == before.counts
    assert "Traceback" not in plant.log(other)


async def count(bench: Bench) -> int:
    async with bench.db.connect() as connection:
        found: int = (await connection.execute(text("SELECT count(*) FROM runs"))).scalar_one()
        return found
