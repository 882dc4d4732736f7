"""Measures what the history costs a refresh: `python -m bench history`.

This process executes full runs of all sources in pairs: one with history, and one whose statement
overwrites the former answers. Before each pair, either nothing has changed or all stored answers
are altered, so that each of them changes. The database is vacuumed before each run. The sandbox
replaces the upstream services. Processor seconds are measured as well, because other programs
hardly affect them.
"""

import asyncio
import statistics
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import click
import psutil
import psycopg
from rich.console import Console
from rich.progress import track
from rich.table import Table
from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.annotation.refresh import commits
from app.annotation.refresh.pipeline import Pipeline
from app.annotation.refresh.requests import request_run
from app.annotation.settings import Settings
from app.core.redis.rate_limits import LocalRateLimiter
from app.core.runs.actors import Actor, Way
from app.core.runs.request import RunRequest
from app.core.workers.dispatcher import InProcessDispatcher
from app.core.workers.engine import Engine
from app.core.workers.executor import Executor
from bench._plant import Plant, plant
from bench._processor import server_cpu

# the statement of app.annotation.refresh.commits without the history and the origins' times
WITHOUT = text(
    """
    WITH written AS (
      INSERT INTO annotations (gene_id, source, state, data, release, fetched_at, fetched_run_id,
        origin_id, checked_state, checked_at, checked_run_id, checked_origin_id, reason)
      SELECT a.gene_id, :source, a.state, CAST(a.data AS jsonb),
        CASE WHEN a.state <> 'unknown' THEN CAST(:release AS text) END,
        CASE WHEN a.state <> 'unknown' THEN now() END,
        CASE WHEN a.state <> 'unknown' THEN CAST(:run_id AS bigint) END,
        CASE WHEN a.state <> 'unknown' THEN CAST(:origin_id AS bigint) END,
        a.state,
        CASE WHEN g.updated_at > s.attempt_started_at AND NOT a.identifies
             THEN s.attempt_started_at ELSE now() END,
        :run_id, CAST(:origin_id AS bigint), a.reason
      FROM unnest(CAST(:gene_ids AS bigint[]), CAST(:states AS text[]), CAST(:data AS text[]),
                  CAST(:reasons AS text[]), CAST(:identifies AS boolean[]))
        AS a(gene_id, state, data, reason, identifies)
      JOIN genes g ON g.id = a.gene_id
      JOIN run_sources s ON s.run_id = :run_id AND s.source = :source
      ON CONFLICT (gene_id, source) DO UPDATE SET
        state = CASE WHEN excluded.checked_state = 'unknown'
                THEN annotations.state ELSE excluded.state END,
        data = CASE WHEN excluded.checked_state = 'unknown'
               THEN annotations.data ELSE excluded.data END,
        release = CASE WHEN excluded.checked_state = 'unknown'
                  THEN annotations.release ELSE excluded.release END,
        fetched_at = CASE WHEN excluded.checked_state = 'unknown'
                     THEN annotations.fetched_at ELSE excluded.fetched_at END,
        fetched_run_id = CASE WHEN excluded.checked_state = 'unknown'
                         THEN annotations.fetched_run_id ELSE excluded.fetched_run_id END,
        origin_id = CASE WHEN excluded.checked_state = 'unknown'
                    THEN annotations.origin_id ELSE excluded.origin_id END,
        checked_state = excluded.checked_state, checked_at = excluded.checked_at,
        checked_run_id = excluded.checked_run_id, checked_origin_id = excluded.checked_origin_id,
        reason = excluded.reason)
    SELECT 0
    """
)

# found genes stay found, because a source whose genes turn absent is held
_ALTER = """
UPDATE annotations SET state = CASE WHEN state = 'absent' THEN 'unknown' ELSE state END,
  data = data || jsonb_build_object('altered', %s::int)
"""

_ENDED = text(
    "SELECT state, error, extract(epoch FROM finished_at - started_at)::float AS seconds,"
    " (SELECT sum(changed)::int FROM run_sources WHERE run_id = id) AS changed"
    " FROM runs WHERE id = :id AND finished_at IS NOT NULL"
)


@dataclass(frozen=True, slots=True)
class Measured:
    """A run.

    Attributes:
        seconds: the duration in seconds.
        cpu: the processor seconds of PostgreSQL, this process and its readers.
        changed: the number of answers that changed.
    """

    seconds: float
    cpu: float
    changed: int


class _Bench:
    def __init__(
        self, db: AsyncEngine, dispatcher: InProcessDispatcher, sources: list[str], server: int
    ) -> None:
        self._server = server
        self._db = db
        self._dispatcher = dispatcher
        self._sources = sources

    async def run(self, statement: TextClause) -> Measured:
        """Execute a full run of all sources with a statement that writes answers."""
        began = self._cpu()
        with patch.object(commits, "_ANNOTATIONS", statement):
            created = await request_run(
                self._db,
                self._dispatcher,
                RunRequest.of(None, "full"),
                enabled=self._sources,
                actor=Actor("bench", Way.CLI),
            )
            while True:
                async with self._db.connect() as connection:
                    found = await connection.execute(_ENDED, {"id": created.ref.run_id})
                    if (run := found.one_or_none()) is not None:
                        break
                await asyncio.sleep(0.05)
        assert run.state == "succeeded", run.error
        return Measured(run.seconds, self._cpu() - began, run.changed)

    def _cpu(self) -> float:
        here = psutil.Process().cpu_times()
        own = here.user + here.system + here.children_user + here.children_system
        return float(own) + server_cpu(self._server)


def _prepare(made: Plant, altered: int | None) -> None:
    """Alter all answers, or none, and vacuum the tables."""
    with psycopg.connect(made.postgres.dsn, autocommit=True) as connection:
        connection.execute("TRUNCATE annotation_history")
        if altered is not None:
            connection.execute(_ALTER, [altered])
        connection.execute("VACUUM (ANALYZE) annotations")
    with psycopg.connect(made.postgres.superuser_dsn, autocommit=True) as connection:
        connection.execute("CHECKPOINT")


async def measure(
    made: Plant, settings: Settings, pairs: int
) -> dict[tuple[bool, bool], list[Measured]]:
    """Return the measured runs by whether answers changed and history was kept."""
    found: dict[tuple[bool, bool], list[Measured]] = {}
    async with AsyncExitStack() as stack:
        pipeline = Pipeline(settings, LocalRateLimiter(window=0))
        stack.push_async_callback(pipeline.close)
        dispatcher = InProcessDispatcher()
        engine = Engine(settings, kind="api", dispatcher=dispatcher, work=pipeline.run)
        stack.push_async_callback(engine.stop)
        await engine.start()
        executor = Executor(engine, dispatcher, slots=1, poll_interval=1)
        executor.start()
        stack.push_async_callback(executor.stop)
        server = made.postgres.pid
        assert server is not None
        bench = _Bench(engine.db, dispatcher, settings.enabled_sources, server)
        history = commits._ANNOTATIONS  # noqa: SLF001 - the statement that is measured
        await bench.run(history)
        orders = [(True, False), (False, True)]
        planned = [
            (everything, on)
            for everything in (False, True)
            for pair in range(pairs)
            for on in orders[pair % 2]
        ]
        for number, (everything, on) in enumerate(track(planned, "measuring")):
            await asyncio.to_thread(_prepare, made, number if everything else None)
            run = await bench.run(history if on else WITHOUT)
            found.setdefault((everything, on), []).append(run)
    return found


def _ratio(on: list[Measured], off: list[Measured], what: str) -> float:
    """Return the median of the ratios of the pairs."""
    pairs = zip(on, off, strict=True)
    return float(statistics.median(getattr(a, what) / getattr(b, what) for a, b in pairs))


@contextmanager
def _prepared(genes: int) -> Iterator[tuple[Plant, Settings]]:
    with plant() as made:
        made.sandbox_process("--genes", str(genes), "--limits", "off", "--prepare")
        made.output("genes-import", "hgnc")
        known = {name: made.env.get(name.upper()) for name in Settings.model_fields}
        values: dict[str, Any] = {name: value for name, value in known.items() if value}
        values |= {"_env_file": None, "use_arq_worker": False}
        yield made, Settings(**values)


@click.command()
@click.option("--genes", type=int, default=5_000, show_default=True)
@click.option("--pairs", type=click.IntRange(1), default=3, show_default=True)
def main(genes: int, pairs: int) -> None:
    """Measure refreshes with the history and without it."""
    console = Console(width=110)
    with _prepared(genes) as (made, settings):
        found = asyncio.run(measure(made, settings, pairs))
    numbers = ("changed", "off, s", "on, s", "on / off", "off, cpu s", "on, cpu s", "cpu on / off")
    table = Table("what changed", *numbers)
    for everything in (False, True):
        on, off = found[everything, True], found[everything, False]
        cells = [f"{on[0].changed:,}"]
        for what in ("seconds", "cpu"):
            cells += [
                f"{statistics.median(getattr(each, what) for each in off):.2f}",
                f"{statistics.median(getattr(each, what) for each in on):.2f}",
                f"{_ratio(on, off, what):.3f}",
            ]
        table.add_row("everything" if everything else "nothing", *cells)
    console.print(f"{genes:,} genes, {len(settings.enabled_sources)} sources, {pairs} pairs")
    console.print(table)


if __name__ == "__main__":
    main()
