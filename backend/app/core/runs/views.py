"""What an operator gets to see of runs: read-only, and the same over HTTP and in the shell."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.errors import LIST_RUNS, NotFound
from app.core.runs import events
from app.core.runs.request import MODES

LARGEST_ID = 2**63 - 1
"""PostgreSQL's `bigint` ends here; a greater number names no row."""


class View(BaseModel):
    """A shape of an answer; the text under a field is its documentation."""

    model_config = ConfigDict(use_attribute_docstrings=True)


def one_of(values: Iterable[str]) -> Any:
    """Say to OpenAPI which values a text has; nothing is checked, and a list never broken by it."""
    return Field(json_schema_extra={"enum": [*values]})


_STATE = one_of(("queued", "running", "succeeded", "failed", "cancelled"))


class SourceProgress(View):
    """How far a run has come with one source."""

    source: str
    state: Annotated[str, _STATE]
    """Of a run that is back in the queue, a source that was begun is `queued` as well.
    """
    total: int | None
    """Genes to refresh; null until the source has begun."""
    done: int
    """Genes that were asked about: found, absent and unknown together."""
    found: int
    absent: int
    """The source said that it has nothing."""
    unknown: int
    """It could not be found out."""
    requests: int
    """Sent to the upstream services so far."""
    weight_total: int | None
    """Expected work, in the source's own unit; null until the source has begun."""
    weight_done: int
    """How much of it is done."""
    started_at: datetime | None
    finished_at: datetime | None
    seconds: float | None
    """What the latest attempt at it took, or has taken so far; null while nobody is at it."""
    eta: float | None
    """Seconds until it is done, at the speed of the present attempt; null when not known."""
    error: str | None = None
    """Why it failed."""


class RunWorker(View):
    """The worker that executes a run, or did so last."""

    id: int
    host: str
    pid: int


class Run(View):
    """What an operator asked for, and how far it has come."""

    id: int
    state: Annotated[str, _STATE]
    task: str
    """The name of the job, as arq knows it."""
    sources: list[str] | None
    """As requested; null means all."""
    mode: Annotated[str, one_of(MODES)]
    progress: list[SourceProgress]
    """A row a source, in the order in which the run takes them."""
    attempts: int
    """1 + failures."""
    interruptions: int
    """Clean stops of a worker; they cost no attempt."""
    losses: int
    """Workers that died; they cost no attempt."""
    epoch: int
    """Of the present attempt; an attempt of an earlier one can commit nothing."""
    worker: RunWorker | None
    """Who runs it, or ran it last."""
    created_at: datetime
    started_at: datetime | None
    """When its first attempt began."""
    attempt_started_at: datetime | None
    """When its latest attempt began."""
    progressed_at: datetime | None
    """When it last committed answers, or got on otherwise."""
    finished_at: datetime | None
    waiting_for: str | None
    """What a queued run waits for, other than a free worker."""
    not_before: datetime | None
    """A queued run does not start earlier."""
    eta: float | None
    """Seconds until the source that is being asked now is done; null when not known."""
    error: str | None
    """Why it failed, or its last failed attempt did."""


class RunEvent(View):
    """Something that happened to a run."""

    id: int
    at: datetime
    epoch: int
    """Of the attempt that it happened to."""
    event: Annotated[str, one_of(events.Event)]
    detail: dict[str, Any]
    """`worker` and `reason`, where there is one, and what else belongs to the event."""


class RunPage(View):
    """Runs, the newest first."""

    runs: list[Run]
    next_before: int | None
    """`before` of the next page; null when there is none."""


class EventPage(View):
    """What happened to a run, in order."""

    events: list[RunEvent]
    next_after: int | None
    """`after` of the next page; null when there is none."""


class Changed(View):
    """A run that was cancelled or opened again."""

    id: int
    state: Annotated[str, one_of(("queued", "cancelled"))]
    """`cancelled` after a cancel, `queued` after a retry."""


_RUNS = """
SELECT r.*, w.host, w.pid FROM runs r LEFT JOIN workers w ON w.id = r.worker_id
"""

# until the present attempt takes a source up, its row tells of an earlier one
_PROGRESS = text(
    """
    SELECT s.run_id, s.source, s.total, s.done, s.found, s.absent, s.unknown, s.requests,
      s.weight_total, s.weight_done, s.weight_at_start, s.started_at, s.finished_at, s.error,
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
        NotFound: no such run.
    """
    await require_run(connection, run_id)
    result = await connection.execute(text(_RUNS + "WHERE r.id = :id"), {"id": run_id})
    return (await _with_progress(connection, result.mappings().all()))[0]


async def list_runs(
    connection: AsyncConnection, *, limit: int, before: int | None = None
) -> RunPage:
    """Return a page of runs, the newest first.

    Args:
        connection: to read from.
        limit: the most runs on the page.
        before: only runs with a smaller id.
    """
    result = await connection.execute(
        text(_RUNS + "WHERE r.id < :before ORDER BY r.id DESC LIMIT :limit"),
        {"before": LARGEST_ID if before is None else before, "limit": limit},
    )
    runs = await _with_progress(connection, result.mappings().all())
    return RunPage(runs=runs, next_before=runs[-1].id if len(runs) == limit else None)


async def list_events(
    connection: AsyncConnection, run_id: int, *, limit: int, after: int = 0
) -> EventPage:
    """Return a page of what happened to a run, in order.

    Args:
        connection: to read from.
        run_id: the run.
        limit: the most events on the page.
        after: only events with a greater id.

    Raises:
        NotFound: no such run.
    """
    await require_run(connection, run_id)
    result = await connection.execute(
        text(
            "SELECT id, at, epoch, event, detail FROM run_events"
            " WHERE run_id = :run_id AND id > :after ORDER BY id LIMIT :limit"
        ),
        {"run_id": run_id, "after": after, "limit": limit},
    )
    events = [RunEvent(**row) for row in result.mappings()]
    return EventPage(events=events, next_after=events[-1].id if len(events) == limit else None)


async def latest_events(connection: AsyncConnection, run_id: int, *, limit: int) -> list[RunEvent]:
    """Return the last ``limit`` things that happened to a run, in order."""
    result = await connection.execute(
        text(
            "SELECT id, at, epoch, event, detail FROM run_events"
            " WHERE run_id = :run_id ORDER BY id DESC LIMIT :limit"
        ),
        {"run_id": run_id, "limit": limit},
    )
    return [RunEvent(**row) for row in result.mappings()][::-1]


async def require_run(connection: AsyncConnection, run_id: int) -> None:
    """Make sure that there is such a run.

    Raises:
        NotFound: there is none.
    """
    found = False
    if 0 < run_id <= LARGEST_ID:
        result = await connection.execute(
            text("SELECT EXISTS (SELECT FROM runs WHERE id = :id)"), {"id": run_id}
        )
        found = result.scalar_one()
    if not found:
        raise NotFound(f"there is no run {run_id}", remedy="list the runs", steps=(LIST_RUNS,))


async def _with_progress(connection: AsyncConnection, rows: Sequence[RowMapping]) -> list[Run]:
    progress: dict[int, list[SourceProgress]] = {row["id"]: [] for row in rows}
    result = await connection.execute(_PROGRESS, {"ids": list(progress)})
    for row in result.mappings():
        progress[row["run_id"]].append(SourceProgress(**row, eta=_eta(row)))
    return [_run(row, progress[row["id"]]) for row in rows]


def _run(row: RowMapping, progress: list[SourceProgress]) -> Run:
    worker = None
    if row["pid"] is not None:
        worker = RunWorker(id=row["worker_id"], host=row["host"], pid=row["pid"])
    etas = [each.eta for each in progress if each.eta is not None]
    return Run(**row, progress=progress, worker=worker, eta=etas[0] if etas else None)


def _eta(row: RowMapping) -> float | None:
    done: int = row["weight_done"] - row["weight_at_start"]
    if row["state"] != "running" or row["seconds"] is None or done <= 0:
        return None
    left: int = max((row["weight_total"] or 0) - row["weight_done"], 0)
    seconds: float = row["seconds"]
    return round(seconds * left / done, 1)
