"""Reads what is shown of runs, for the API, the pages and the command line."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, Select, exists, func, or_, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.errors import LIST_RUNS, NotFound
from app.core.runs.actors import is_named, list_actors
from app.core.runs.filters import ALL_RUNS, RunFilter
from app.core.runs.shapes import EventPage, Run, RunEvent, RunPage, RunWorker, SourceProgress
from app.db.bounds import MAX_ID
from app.db.tables import run_events, run_sources, runs, workers

_RUNS = select(
    runs.c.id,
    runs.c.state,
    runs.c.task,
    runs.c.sources,
    runs.c.mode,
    func.cardinality(runs.c.genes).label("genes"),
    runs.c.attempts,
    runs.c.interruptions,
    runs.c.losses,
    runs.c.epoch,
    runs.c.worker_id,
    runs.c.created_at,
    runs.c.started_at,
    runs.c.attempt_started_at,
    runs.c.progressed_at,
    runs.c.finished_at,
    runs.c.waiting_for,
    runs.c.not_before,
    runs.c.error,
    workers.c.host,
    workers.c.pid,
).select_from(runs.outerjoin(workers, workers.c.id == runs.c.worker_id))

_LATEST = text("SELECT coalesce(max(id), 0) FROM runs")

# until the present attempt begins a source, its row describes an earlier attempt
_PROGRESS = text(
    """
    SELECT s.run_id, s.source, s.total, s.done, s.found, s.absent, s.unknown, s.changed,
      s.confirmed,
      s.requests, s.rate_limited, s.budget_seconds, s.bytes_received,
      s.weight_total, s.weight_done, s.weight_at_start, s.started_at, s.finished_at, s.error,
      s.held, s.accepted,
      CASE WHEN r.state = 'queued' AND s.state = 'running' THEN 'queued' ELSE s.state END AS state,
      extract(epoch FROM CASE
        WHEN s.state NOT IN ('queued', 'running')
          THEN coalesce(s.finished_at, r.finished_at) - coalesce(s.attempt_started_at, s.started_at)
        WHEN r.state = 'running' AND s.state = 'running'
            AND s.attempt_started_at >= r.attempt_started_at
          THEN now() - s.attempt_started_at
        END)::float8 AS seconds
    FROM run_sources s JOIN runs r ON r.id = s.run_id
    WHERE s.run_id = ANY(:ids) ORDER BY s.run_id, s.position
    """
)


async def get_run(connection: AsyncConnection, run_id: int) -> Run:
    """Return one run.

    Raises:
        NotFound: there is no such run.
    """
    await require_run(connection, run_id)
    result = await connection.execute(_RUNS.where(runs.c.id == run_id))
    return (await _with_progress(connection, result.mappings().all()))[0]


async def list_runs(
    connection: AsyncConnection,
    *,
    limit: int,
    before: int | None = None,
    only: RunFilter = ALL_RUNS,
) -> RunPage:
    """Return a page of runs, the newest first.

    Args:
        connection: to read from.
        limit: the maximum number of runs on the page.
        before: only runs with a smaller id.
        only: the filter.
    """
    actors: Sequence[str] = ()
    if (name := only.actor) is not None:
        actors = [actor for actor in await list_actors(connection) if is_named(actor, name)]
    statement = page(only, actors, before=before, limit=limit)
    result = await connection.execute(statement)
    found = await _with_progress(connection, result.mappings().all())
    return RunPage(runs=found, next_before=found[-1].id if len(found) == limit else None)


def page(only: RunFilter, actors: Sequence[str], *, before: int | None, limit: int) -> Select[Any]:
    """Return a statement that selects a page of runs, the newest first.

    The statement contains only the conditions of the filter, so that PostgreSQL can use the indexes
    for them.

    Args:
        only: the filter.
        actors: all actors that match the actor of the filter.
        before: the cursor: only runs with a smaller id are returned.
        limit: the maximum number of runs on the page.
    """
    chosen = _RUNS.where(runs.c.id < (MAX_ID if before is None else before))
    of_run = run_sources.c.run_id == runs.c.id
    if only.states is not None:
        chosen = chosen.where(runs.c.state.in_(only.states))
    if only.source is not None:
        chosen = chosen.where(exists().where(of_run, run_sources.c.source == only.source))
    if only.error is not None:
        of_source = exists().where(of_run, _contains(run_sources.c.error, only.error))
        chosen = chosen.where(or_(_contains(runs.c.error, only.error), of_source))
    if only.since is not None:
        chosen = chosen.where(runs.c.created_at >= only.since)
    if only.until is not None:
        chosen = chosen.where(runs.c.created_at < only.until)
    if only.actor is not None:
        acted = exists().where(run_events.c.run_id == runs.c.id, run_events.c.actor.in_(actors))
        chosen = chosen.where(acted)
    return chosen.order_by(runs.c.id.desc()).limit(limit)


def _contains(text_of: ColumnElement[Any], part: str) -> ColumnElement[bool]:
    """Whether a text contains another one, in any case."""
    return func.strpos(func.lower(text_of), func.lower(part)) > 0


async def list_events(
    connection: AsyncConnection, run_id: int, *, limit: int, after: int = 0
) -> EventPage:
    """Return a page of the events of a run, in order.

    Args:
        connection: to read from.
        run_id: the run.
        limit: the maximum number of events on the page.
        after: only events with a greater id.

    Raises:
        NotFound: there is no such run.
    """
    await require_run(connection, run_id)
    result = await connection.execute(
        text(
            "SELECT id, at, epoch, event, actor, detail FROM run_events"
            " WHERE run_id = :run_id AND id > :after ORDER BY id LIMIT :limit"
        ),
        {"run_id": run_id, "after": after, "limit": limit},
    )
    events = [RunEvent(**row) for row in result.mappings()]
    return EventPage(events=events, next_after=events[-1].id if len(events) == limit else None)


async def latest_events(connection: AsyncConnection, run_id: int, *, limit: int) -> list[RunEvent]:
    """Return the last ``limit`` events of a run, in order."""
    result = await connection.execute(
        text(
            "SELECT id, at, epoch, event, actor, detail FROM run_events"
            " WHERE run_id = :run_id ORDER BY id DESC LIMIT :limit"
        ),
        {"run_id": run_id, "limit": limit},
    )
    return [RunEvent(**row) for row in result.mappings()][::-1]


async def require_run(connection: AsyncConnection, run_id: int) -> None:
    """Check that a run exists.

    Raises:
        NotFound: there is no such run.
    """
    found = False
    if 0 < run_id <= MAX_ID:
        result = await connection.execute(
            text("SELECT EXISTS (SELECT FROM runs WHERE id = :id)"), {"id": run_id}
        )
        found = result.scalar_one()
    if not found:
        raise await no_run(connection, run_id)


async def no_run(connection: AsyncConnection, run_id: int) -> NotFound:
    """Return the error for a run that does not exist, or that was removed."""
    latest = (await connection.execute(_LATEST)).scalar_one()
    if not 0 < run_id < latest:
        return NotFound(f"there is no run {run_id}", remedy="list the runs", steps=(LIST_RUNS,))
    return NotFound(
        f"run {run_id} was removed, or never created",
        allowed="a run that ended less than RUN_DAYS ago, or that something refers to",
        remedy="list the runs",
        steps=(LIST_RUNS,),
    )


async def _with_progress(connection: AsyncConnection, rows: Sequence[RowMapping]) -> list[Run]:
    progress: dict[int, list[SourceProgress]] = {row["id"]: [] for row in rows}
    result = await connection.execute(_PROGRESS, {"ids": list(progress)})
    for row in result.mappings():
        progress[row["run_id"]].append(SourceProgress(**row, speed=_speed(row), eta=_eta(row)))
    return [_run(row, progress[row["id"]]) for row in rows]


def _run(row: RowMapping, progress: list[SourceProgress]) -> Run:
    worker = None
    if row["pid"] is not None:
        worker = RunWorker(id=row["worker_id"], host=row["host"], pid=row["pid"])
    etas = [source.eta for source in progress if source.eta is not None]
    return Run(**row, progress=progress, worker=worker, eta=max(etas, default=None))


def _speed(row: RowMapping) -> float | None:
    done: int = row["weight_done"] - row["weight_at_start"]
    if row["state"] != "running" or not row["seconds"] or done <= 0:
        return None
    # only the part that the present attempt has done; an earlier attempt may have done the rest
    genes: float = row["done"] * done / row["weight_done"]
    seconds: float = row["seconds"]
    return round(genes / seconds, 2)


def _eta(row: RowMapping) -> float | None:
    done: int = row["weight_done"] - row["weight_at_start"]
    if row["state"] != "running" or row["seconds"] is None or done <= 0:
        return None
    left: int = max((row["weight_total"] or 0) - row["weight_done"], 0)
    seconds: float = row["seconds"]
    return round(seconds * left / done, 1)
