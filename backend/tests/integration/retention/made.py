"""Makes old runs, and removes what is old."""

from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.annotation.data.run_names import list_named
from app.core.retention.runs import OldRuns

Query = Callable[..., list[dict[str, Any]]]

DAYS = 400

_RUN = """
INSERT INTO runs (task, sources, genes, mode, state, created_at, started_at, attempt_started_at,
  finished_at)
SELECT 'run_annotation_pipeline_task', %s::text[], %s::text[], %s, %s, t - interval '2 min',
  t - interval '1 min', t - interval '1 min', t
FROM (SELECT now() - make_interval(secs => %s * 86400.0) AS t) given RETURNING id
"""

_SOURCE = """
INSERT INTO run_sources (run_id, source, position, active, state, done, found, attempt_started_at,
  started_at, finished_at)
SELECT id, %s, 1, false, %s, %s, %s, started_at, started_at, finished_at FROM runs WHERE id = %s
"""

_EVENTS = """
INSERT INTO run_events (run_id, at, epoch, event, detail)
SELECT id, finished_at, 1, event, '{"worker": 77}' FROM runs,
  unnest(ARRAY['created', 'claimed', state]) AS event WHERE id = %s
"""

_LOG = """
INSERT INTO attempt_logs (run_id, epoch, number, at, level, text)
SELECT id, 1, 1, finished_at, 'info', state FROM runs WHERE id = %s
"""


def add_run(
    query: Query,
    ended: float,
    state: str = "succeeded",
    *,
    sources: tuple[str, ...] = ("hgnc",),
    genes: list[str] | None = None,
    mode: str = "smart",
    done: int = 0,
    source_state: str | None = None,
) -> int:
    """Add a run that ended so many days ago, with its sources, events and log."""
    values = [list(sources), genes, mode, state, ended]
    run_id: int = query(_RUN, *values)[0]["id"]
    for source in sources:
        query(_SOURCE, source, source_state or state, done, done, run_id)
    query(_EVENTS, run_id)
    query(_LOG, run_id)
    return run_id


def left(query: Query) -> list[int]:
    """The runs that are there."""
    return [row["id"] for row in query("SELECT id FROM runs ORDER BY id")]


async def all_parts(db: AsyncEngine, remove: Callable[[AsyncConnection], Awaitable[bool]]) -> int:
    """Do all parts of a chore, and return their number."""
    parts, more = 0, True
    while more:
        async with db.begin() as connection:
            more = await remove(connection)
        parts += 1
    return parts


async def remove_runs(db: AsyncEngine, days: int = DAYS) -> int:
    """Remove the old runs, and return the number of transactions."""
    return await all_parts(db, OldRuns(days, list_named).remove)
