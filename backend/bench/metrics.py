"""Measures a scrape of `/metrics`: `python -m bench metrics`.

The database has the answers of all sources about all genes, and runs with 10 events each. A client
scrapes the API process several times, one after the other. Then all runs are removed like retention
does, new ones replace them, and the client scrapes again.
"""

import asyncio
import time
from collections.abc import Sequence
from statistics import median, quantiles

import click
from rich.console import Console

from app.annotation.sources import SOURCES
from app.core.runs import totals
from app.db.engine import create_engine
from bench._made import fill
from bench._measured import machine, write
from bench._plant import Plant, plant
from bench._processor import process_cpu, server_cpu
from bench._readers import Client
from harness.launcher import API_READY, address
from reference import markdown

TOGETHER = 250
"""Runs that are removed in one transaction."""

_RUNS = """
WITH made AS (
  INSERT INTO runs (task, mode, state, created_at, started_at, finished_at)
  SELECT 'run_annotation_pipeline_task', 'smart',
    CASE WHEN n %% 20 = 0 THEN 'failed' ELSE 'succeeded' END, at, at, at + interval '20 min'
  FROM (SELECT n, now() - make_interval(hours => n) AS at FROM generate_series(1, %(runs)s) n) o
  RETURNING id, created_at
)
INSERT INTO run_sources (run_id, source, position, state, active, total, done, found, requests,
  finished_at)
SELECT id, source, place, 'succeeded', false, 100, 100, 100, 10, created_at + interval '20 min'
FROM made, unnest(%(sources)s::text[]) WITH ORDINALITY AS s(source, place)
"""

_EVENTS = """
INSERT INTO run_events (run_id, at, epoch, event, detail)
SELECT r.id, r.created_at + make_interval(secs => seconds * (0.5 + r.id %% 100 / 50.0)), e.epoch,
  CASE WHEN event = 'succeeded' THEN r.state ELSE event END, '{"worker": 1}'
FROM (
  SELECT id, state, created_at FROM runs
  WHERE id > (SELECT coalesce(max(run_id), 0) FROM run_events) ORDER BY id LIMIT %(most)s
) r, (VALUES
  (0.0, 1, 'created'), (0.2, 1, 'claimed'), (61, 1, 'lost'), (61.3, 2, 'taken over'),
  (300, 2, 'waiting'), (400, 3, 'claimed'), (500, 3, 'interrupted'), (500.1, 4, 'claimed'),
  (501, 3, 'fenced'), (1200, 4, 'succeeded')) AS e(seconds, epoch, event)
ORDER BY r.id, e.seconds
"""


def make_runs(made: Plant, runs: int) -> None:
    """Insert runs of all sources that have ended."""
    made.rows(_RUNS, runs=runs, sources=list(SOURCES))
    # query plans for a small table would be slow for the large one
    for most in (100, runs):
        made.rows(_EVENTS, most=most)
        made.rows("VACUUM ANALYZE")


def remove_runs(made: Plant) -> float:
    """Remove all runs like retention does. Return the seconds for 1,000 runs."""
    ids = [row["id"] for row in made.rows("SELECT id FROM runs ORDER BY id")]
    began = time.perf_counter()
    asyncio.run(_remove(made.postgres.dsn, ids))
    return 1_000 * (time.perf_counter() - began) / len(ids)


async def _remove(dsn: str, ids: Sequence[int]) -> None:
    db = create_engine(dsn, session="bench")
    for first in range(0, len(ids), TOGETHER):
        async with db.begin() as connection:
            await totals.remove(connection, ids[first : first + TOGETHER])
    await db.dispose()


async def scrape(api: str, times: int) -> tuple[list[float], int]:
    """Return the seconds of each scrape, and the bytes of the last."""
    client = Client(api)
    seconds, size = [], 0
    for _ in range(times):
        began = time.perf_counter()
        status, answer = await client.ask("GET", "/metrics")
        seconds.append(time.perf_counter() - began)
        size = len(answer)
        assert status == 200, answer  # noqa: PLR2004 - HTTP's OK
    client.close()
    return seconds, size


@click.command()
@click.option("--runs", type=click.IntRange(1), default=5_000, show_default=True)
@click.option("--genes", type=click.IntRange(1), default=20_000, show_default=True)
@click.option("--times", type=click.IntRange(2), default=60, show_default=True)
def main(runs: int, genes: int, times: int) -> None:
    """Measure a scrape, print a table and write it to the documentation."""
    with plant() as made:
        facts = machine(made)
        fill(made.postgres.dsn, genes)
        api_process = made.api_process()
        api_process.says(API_READY)
        api = address(api_process)
        rows = []
        per_thousand = 0.0
        for removed in (0, runs):
            if removed:
                per_thousand = remove_runs(made)
            make_runs(made, runs)
            # the first scrape waits for the counts of the annotations
            asyncio.run(scrape(api, 1))
            server = made.postgres.pid
            assert server is not None
            api_cpu, cpu = process_cpu(api_process.pid), server_cpu(server)
            seconds, size = asyncio.run(scrape(api, times))
            api_cpu, cpu = process_cpu(api_process.pid) - api_cpu, server_cpu(server) - cpu
            rows.append(
                [
                    f"{runs:,}",
                    f"{removed:,}",
                    f"{1000 * median(seconds):.0f} ms",
                    f"{1000 * quantiles(seconds, n=20)[-1]:.0f} ms",
                    f"{1000 * api_cpu / times:.0f} ms",
                    f"{1000 * cpu / times:.0f} ms",
                    f"{size / 1_000:,.0f} KB",
                ]
            )
    found = markdown.table(
        [
            *("Runs", "Runs removed before", "Median", "95th percentile"),
            *("Processor time of the API", "of PostgreSQL", "Size"),
        ],
        rows,
    )
    Console(soft_wrap=True).print(found)
    write(
        "metrics",
        "How long a scrape of the metrics takes",
        f"{genes:,} genes with the answers of {len(SOURCES)} sources. Each run has 10 events and"
        f" covers all sources. {times} scrapes, one after the other:",
        found,
        f"It took {per_thousand:.1f} s to remove 1,000 runs and to keep what the metrics count of"
        " them. The processor time is that of one scrape. Other programs on the machine hardly"
        " change it, but they prolong the median.",
        shows="how long the API needs to answer Prometheus",
        command="nox -s bench -- metrics",
        facts=facts,
    )


if __name__ == "__main__":
    main()
