"""Measures what the removal of old runs costs a run: `python -m bench retention`.

The database contains 100,000 runs that ended two years ago, with their sources and events. New
workers execute full runs of all sources in pairs: one worker removes old runs meanwhile, and the
other one keeps all runs. The sandbox replaces the upstream services. At the end, a worker removes
the remaining old runs.
"""

import statistics
import time
from typing import Any

import click
from rich.console import Console
from rich.progress import track
from rich.table import Table

from bench._plant import Plant, plant

BACKLOG = 100_000
EVENTS = 10
MAX_WAIT = 1_800.0
KEEP = "100000"

_RUNS = """
INSERT INTO runs (task, sources, mode, state, created_at, started_at, attempt_started_at,
  finished_at)
SELECT 'run_pipeline_task', ARRAY['hgnc'], 'smart', 'succeeded', t, t, t, t + interval '1 min'
FROM (SELECT now() - interval '730 days' - (%(count)s - n) * interval '1 min' AS t
  FROM generate_series(1, %(count)s) n) given
"""

_SOURCES = """
INSERT INTO run_sources (run_id, source, position, active, state, done, started_at,
  attempt_started_at, finished_at)
SELECT id, source, 1, false, 'succeeded', 1, started_at, started_at, finished_at
FROM runs, unnest(ARRAY['hgnc', 'ensembl', 'clinvar']) AS source
"""

_EVENTS = """
INSERT INTO run_events (run_id, at, epoch, event, detail, noticed)
SELECT id, started_at, 1, 'waiting', '{"worker": 1, "waiting_for": "ncbi"}', true
FROM runs, generate_series(1, %(events)s)
"""

_LEFT = "SELECT count(*) AS n FROM runs WHERE finished_at < now() - interval '700 days'"

_SECONDS = """
SELECT extract(epoch FROM finished_at - started_at)::float8 AS seconds FROM runs
ORDER BY id DESC LIMIT 1
"""


def _left(made: Plant) -> int:
    count: int = made.rows(_LEFT)[0]["n"]
    return count


def _run(made: Plant, run_days: str) -> tuple[float, int]:
    """Execute a run by a new worker. Return its seconds, and the old runs removed meanwhile."""
    before = _left(made)
    made.env["RUN_DAYS"] = run_days
    worker = made.ready_worker()
    made.output("annotate", "--wait", "--mode", "full")
    seconds: float = made.rows(_SECONDS)[0]["seconds"]
    removed = before - _left(made)
    worker.end()
    return seconds, removed


def _rest(made: Plant) -> tuple[int, float]:
    """Remove the remaining old runs. Return their number and the seconds."""
    count = _left(made)
    made.env["RUN_DAYS"] = "400"
    began = time.monotonic()
    made.ready_worker()
    # the last run of a request is always kept
    while (left := _left(made)) > 1:
        if time.monotonic() - began > MAX_WAIT:
            raise click.ClickException(f"{left:,} old runs are left")
        time.sleep(0.2)
    return count - left, time.monotonic() - began


@click.command()
@click.option("--genes", type=int, default=2_000, show_default=True)
@click.option("--pairs", type=click.IntRange(1), default=5, show_default=True)
@click.option("--backlog", type=int, default=BACKLOG, show_default=True)
def main(genes: int, pairs: int, backlog: int) -> None:
    """Measure runs while old runs are removed, and while none are."""
    found: dict[str, list[tuple[float, int]]] = {"400": [], KEEP: []}
    with plant() as made:
        made.sandbox_process("--genes", str(genes), "--limits", "off", "--prepare")
        made.output("genes-import", "hgnc")
        made.rows(_RUNS, count=backlog)
        made.rows(_SOURCES)
        made.rows(_EVENTS, events=EVENTS)
        made.rows("ANALYZE runs, run_sources, run_events")
        _run(made, KEEP)
        order = [("400", KEEP), (KEEP, "400")]
        planned = [days for pair in range(pairs) for days in order[pair % 2]]
        for days in track(planned, "measuring"):
            found[days].append(_run(made, days))
        rest, seconds = _rest(made)
    _print(found, rest, seconds, f"{genes:,} genes, {backlog:,} old runs, {pairs} pairs")


def _print(found: dict[str, list[tuple[float, int]]], rest: int, seconds: float, what: str) -> None:
    console = Console(width=110)
    on, off = found["400"], found[KEEP]
    ratios = [a[0] / b[0] for a, b in zip(on, off, strict=True)]
    rows: dict[str, Any] = {
        "a run while none are removed, s": f"{statistics.median(each[0] for each in off):.2f}",
        "a run while old runs are removed, s": f"{statistics.median(each[0] for each in on):.2f}",
        "median of the ratios": f"{statistics.median(ratios):.3f}",
        "old runs removed during these runs": f"{sum(each[1] for each in on):,}",
        "the rest": f"{rest:,} in {seconds:.0f} s, {rest / seconds:,.0f} a second",
    }
    table = Table("measured", "value")
    for name, value in rows.items():
        table.add_row(name, value)
    console.print(what)
    console.print(table)


if __name__ == "__main__":
    main()
