"""Creates, cancels and retries runs, and accepts held answers.

`transitions` has the SQL that changes states.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.errors import Conflict, WrongUse, cancel_run, show_run
from app.core.process.tracing import ids
from app.core.runs import transitions
from app.core.runs.actors import Actor
from app.core.runs.ref import RunRef
from app.core.runs.request import RunRequest
from app.core.runs.views import no_run
from app.db.bounds import MAX_ID
from app.db.locks import Lock, hold
from app.db.text import storable

CREATING = Lock("the creation of another run", table="runs", number=2, timeout=10)
"""This lock serializes the creation and the reopening of runs."""

_ACTIVE = text(
    """
    SELECT id, epoch, task, sources, mode, state FROM runs
    WHERE state IN ('queued', 'running') AND mode = :mode
      AND sources IS NOT DISTINCT FROM CAST(:sources AS text[])
      AND genes IS NOT DISTINCT FROM CAST(:genes AS text[])
    ORDER BY id LIMIT 1
    """
)

_BY_ARQ_JOB = text(
    "SELECT id, epoch, task, sources, mode, state FROM runs WHERE arq_job_id = :arq_job_id"
)

_ACTIVE_COVERING = text(
    """
    SELECT id, epoch, task, sources, mode, state FROM runs
    WHERE mode IN (:mode, 'full') AND genes IS NULL AND id = (
      SELECT run_id FROM run_sources WHERE active AND source = ANY(:covers)
      GROUP BY run_id HAVING count(*) = cardinality(CAST(:covers AS text[])))
    """
)

_LATEST_ENDED = text(
    """
    SELECT id FROM runs WHERE mode = :mode AND state IN ('failed', 'cancelled')
      AND sources IS NOT DISTINCT FROM CAST(:sources AS text[])
      AND genes IS NOT DISTINCT FROM CAST(:genes AS text[])
    ORDER BY id DESC LIMIT 1
    """
)

_STATE = text("SELECT state FROM runs WHERE id = :run_id FOR UPDATE")

_OVERLAPPING = text(
    """
    SELECT run_id, array_agg(source ORDER BY source) AS sources FROM run_sources
    WHERE active AND source = ANY(:covers) GROUP BY run_id ORDER BY run_id LIMIT 1
    """
)

_SOURCES = text("SELECT source, state FROM run_sources WHERE run_id = :run_id ORDER BY position")

_REOPEN_SOURCES = text(
    """
    UPDATE run_sources SET state = 'queued', attempt_started_at = NULL, error = NULL, held = NULL
    WHERE run_id = :run_id AND state <> 'succeeded'
    """
)

# sources that the run had not finished continue too; other failed or held sources do not
_ACCEPT = text(
    """
    WITH before AS (
      SELECT source, held FROM run_sources WHERE run_id = :run_id AND source = :source
    ), changed AS (
      UPDATE run_sources SET state = 'queued', attempt_started_at = NULL, error = NULL, held = NULL,
        accepted = CASE WHEN source = :source THEN held || jsonb_build_object(
          'by', CAST(:by AS text), 'note', CAST(:note AS text), 'accepted_at', now())
          ELSE accepted END
      WHERE run_id = :run_id AND (source = :source OR state = 'cancelled')
    )
    INSERT INTO run_events (run_id, epoch, event, actor, detail)
    SELECT r.id, r.epoch, 'accepted', CAST(:actor AS text), jsonb_strip_nulls(jsonb_build_object(
      'source', before.source, 'by', CAST(:by AS text), 'note', CAST(:note AS text),
      'held', before.held ->> 'reason'))
    FROM before, runs r WHERE r.id = :run_id
    """
)


@dataclass(frozen=True, slots=True)
class Created:
    """The reply to a request: a new run, or the active run of the same request.

    Attributes:
        ref: the run.
        state: its state.
        created: whether it is new.
    """

    ref: RunRef
    state: str
    created: bool


async def lock_creation(connection: AsyncConnection) -> None:
    """Block all other creations and reopenings of runs until the end of the transaction.

    Raises:
        sqlalchemy.exc.OperationalError: another session holds the lock for too long (SQLSTATE
            55P03).
    """
    await connection.run_sync(hold, CREATING)


async def find_overlapping(connection: AsyncConnection, covers: Sequence[str]) -> int | None:
    """Return the id of the first active run that covers one of the sources; None without one."""
    row = (await connection.execute(_OVERLAPPING, {"covers": list(covers)})).one_or_none()
    return None if row is None else int(row.run_id)


async def find_active(connection: AsyncConnection, request: RunRequest) -> Created | None:
    """Return the active run of the same request; None if there is none."""
    return await _find(
        connection,
        _ACTIVE,
        sources=_list(request.sources),
        mode=request.mode,
        genes=_list(request.genes),
    )


async def create(
    connection: AsyncConnection,
    request: RunRequest,
    covers: Sequence[str],
    *,
    actor: Actor,
    arq_job_id: str | None = None,
    traceparent: str | None = None,
) -> Created:
    """Create a run, or find the active one of the same request.

    Args:
        connection: in a transaction; the caller sends the wake-up after its commit.
        request: the request.
        covers: the sources that the run refreshes, in order.
        actor: who requested it.
        arq_job_id: the id of the job, if an arq client enqueued it; one id creates at most one run.
            Such a client gets no reply, so an active run that covers the whole request satisfies
            it.
        traceparent: the header of the HTTP request that creates the run (W3C Trace Context), if
            there is one. It is stored if it is valid.

    Raises:
        Conflict: another active run covers one of the sources.
        sqlalchemy.exc.OperationalError: another session holds the lock for too long (SQLSTATE
            55P03).
    """
    await connection.run_sync(hold, CREATING)
    if arq_job_id is not None:
        own = await _find(connection, _BY_ARQ_JOB, arq_job_id=arq_job_id)
        if own is not None:
            return own
    if (same := await find_active(connection, request)) is not None:
        return same
    if arq_job_id is not None:
        covering = await _find(connection, _ACTIVE_COVERING, mode=request.mode, covers=list(covers))
        if covering is not None:
            return covering
    await _refuse_overlap(connection, covers)
    ref = await transitions.apply(
        connection,
        transitions.CREATE,
        task=request.task,
        sources=_list(request.sources),
        mode=request.mode,
        genes=_list(request.genes),
        arq_job_id=arq_job_id,
        traceparent=_valid(traceparent),
        covers=list(covers),
        actor=str(actor),
    )
    assert ref is not None
    return Created(ref, "queued", created=True)


async def cancel(connection: AsyncConnection, run_id: int, *, actor: Actor) -> RunRef:
    """Cancel a run. From the commit on, its attempt cannot commit anything.

    Args:
        connection: in a transaction.
        run_id: the run.
        actor: who cancels it.

    Raises:
        NotFound: there is no such run.
        Conflict: the run has already ended.
    """
    state = await _state(connection, run_id)
    if state in _HAS_ENDED:
        raise Conflict(f"run {run_id} has ended: it {_HAS_ENDED[state]}")
    ref = await transitions.apply(connection, transitions.CANCEL, run_id=run_id, actor=str(actor))
    assert ref is not None
    return ref


async def retry(connection: AsyncConnection, run_id: int, *, actor: Actor) -> RunRef:
    """Reopen a failed or cancelled run. It continues from what it has committed.

    A source whose answers are held is fetched again. Accepted answers stay accepted.

    Args:
        connection: in a transaction; the caller sends the wake-up after its commit.
        run_id: the run.
        actor: who retries it.

    Raises:
        NotFound: there is no such run.
        Conflict: the run is neither failed nor cancelled, or another run covers one of its sources.
    """
    await connection.run_sync(hold, CREATING)
    state = await _state(connection, run_id)
    if state not in {"failed", "cancelled"}:
        raise Conflict(
            f"run {run_id} is {state}", allowed="only a failed or cancelled run can be retried"
        )
    await _refuse_overlap(connection, list(await _sources(connection, run_id)))
    ref = await transitions.apply(connection, transitions.REOPEN, run_id=run_id, actor=str(actor))
    assert ref is not None
    await connection.execute(_REOPEN_SOURCES, {"run_id": run_id})
    return ref


async def accept(
    connection: AsyncConnection,
    run_id: int,
    source: str,
    *,
    actor: Actor,
    by: str,
    note: str = "",
) -> RunRef | None:
    """Accept the answers of a source that a run holds. The run continues with this source.

    Answers of other sources stay held, and their errors stay.

    Args:
        connection: in a transaction; the caller sends the wake-up after its commit.
        run_id: the run.
        source: the name of the source.
        actor: who accepts the answers, as this program identifies the caller.
        by: the name of the person, as the caller states it.
        note: the reason for the decision.

    Returns:
        The run if it was reopened, or None if it was already queued.

    Raises:
        NotFound: there is no such run.
        Conflict: the run is running, or another run covers one of its sources.
        WrongUse: the run holds no answers of the source, or ``by`` is empty.
    """
    await connection.run_sync(hold, CREATING)
    state = await _state(connection, run_id)
    states = await _sources(connection, run_id)
    if states.get(source) != "held":
        held = [name for name, source_state in states.items() if source_state == "held"]
        raise WrongUse(
            f"run {run_id} holds no answers of {source[:80]!r}",
            allowed=", ".join(held) or "none, because this run holds the answers of no source",
            steps=(show_run(run_id),),
        )
    if not by.strip():
        raise WrongUse("the name of the person who accepts is missing", allowed="a name")
    if state == "running":
        raise Conflict(
            f"run {run_id} is running",
            allowed="held answers can be accepted when the run has ended",
            remedy="wait until its other sources are done",
            steps=(show_run(run_id),),
        )
    values = {"run_id": run_id, "source": source, "actor": str(actor)}
    values |= {"by": storable(by.strip()), "note": storable(note.strip()) or None}
    if state == "queued":
        await connection.execute(_ACCEPT, values)
        return None
    await _refuse_overlap(connection, list(states))
    await connection.execute(_ACCEPT, values)
    ref = await transitions.apply(connection, transitions.REOPEN, run_id=run_id, actor=str(actor))
    assert ref is not None
    return ref


async def reopen(
    connection: AsyncConnection, request: RunRequest, *, actor: Actor
) -> RunRef | None:
    """Retry the latest failed or cancelled run of the same request, even if a later one succeeded.

    Return None if there is none.
    """
    result = await connection.execute(
        _LATEST_ENDED,
        {
            "sources": _list(request.sources),
            "mode": request.mode,
            "genes": _list(request.genes),
        },
    )
    run_id = result.scalar_one_or_none()
    return None if run_id is None else await retry(connection, run_id, actor=actor)


_HAS_ENDED = {"succeeded": "succeeded", "failed": "failed", "cancelled": "was cancelled"}


async def _find(
    connection: AsyncConnection, statement: TextClause, **values: Any
) -> Created | None:
    row = (await connection.execute(statement, values)).one_or_none()
    return None if row is None else Created(RunRef.of(row), row.state, created=False)


async def _state(connection: AsyncConnection, run_id: int) -> str:
    """Lock the row of a run and return its state.

    Raises:
        NotFound: there is no such run.
    """
    state: str | None = None
    if 0 < run_id <= MAX_ID:
        state = (await connection.execute(_STATE, {"run_id": run_id})).scalar_one_or_none()
    if state is None:
        raise await no_run(connection, run_id)
    return state


async def _sources(connection: AsyncConnection, run_id: int) -> dict[str, str]:
    """Return the state of each source of a run, in order."""
    found = await connection.execute(_SOURCES, {"run_id": run_id})
    return {row.source: row.state for row in found}


async def _refuse_overlap(connection: AsyncConnection, covers: Sequence[str]) -> None:
    result = await connection.execute(_OVERLAPPING, {"covers": list(covers)})
    if (row := result.one_or_none()) is not None:
        raise Conflict(
            f"run {row.run_id} is active and covers {', '.join(row.sources)}",
            allowed="one active run per source",
            remedy=f"wait until it has ended, or cancel run {row.run_id}",
            steps=(cancel_run(row.run_id),),
        )


def _valid(traceparent: str | None) -> str | None:
    caller = None if traceparent is None else ids.read_traceparent(traceparent)
    return None if caller is None else ids.write_traceparent(caller)


def _list(names: tuple[str, ...] | None) -> list[str] | None:
    return None if names is None else list(names)
