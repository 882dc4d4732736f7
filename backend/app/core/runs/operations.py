"""What an operator does to runs: create, cancel, retry. What an attempt does is in `attempts`.

::

    queued ──claim──> running ──succeed, fail──> succeeded | failed
      ^  ^               │
      │  └── interrupt, wait, fail_attempt, time_out, lost worker (the next epoch)
      └───── retry ── failed | cancelled <──cancel── queued | running
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.errors import LIST_RUNS, Conflict, NotFound, WrongUse, cancel_run
from app.core.runs.request import RunRequest
from app.core.runs.transitions import BELL_COLUMNS, Bell, bell_of, transition
from app.db.locks import Lock, hold

CREATING = Lock("the creation of another run", "'runs'::regclass::oid", number=2, timeout=10)
"""Under it runs are created and reopened, one at a time."""


@dataclass(frozen=True, slots=True)
class Created:
    """The answer to a request: a new run, or the active one that already does the same."""

    bell: Bell
    state: str
    created: bool


async def find_active(connection: AsyncConnection, request: RunRequest) -> Created | None:
    """Return the active run of the same request, if there is one."""
    return await _find(
        connection,
        "state IN ('queued', 'running') AND mode = :mode"
        " AND sources IS NOT DISTINCT FROM CAST(:sources AS text[])",
        sources=_list(request.sources),
        mode=request.mode,
    )


async def create(
    connection: AsyncConnection,
    request: RunRequest,
    covers: Sequence[str],
    *,
    arq_job_id: str | None = None,
) -> Created:
    """Create a run, or find the active one of the same request.

    Args:
        connection: in a transaction; the caller rings after its commit.
        request: what was asked for.
        covers: the sources that the run will go through, in order.
        arq_job_id: of a client that enqueued the job itself; one such id makes one run. Such a
            client is told nothing, so the active run that covers all it asked for is taken for
            its own.

    Raises:
        Conflict: when another active run covers one of the sources.
        sqlalchemy.exc.OperationalError: with the SQLSTATE 55P03 when another session has long been
            creating a run.
    """
    await connection.run_sync(hold, CREATING)
    if arq_job_id is not None:
        own = await _find(connection, "arq_job_id = :id", id=arq_job_id)
        if own is not None:
            return own
    if (same := await find_active(connection, request)) is not None:
        return same
    if arq_job_id is not None and (covering := await _find_covering(connection, request, covers)):
        return covering
    await _refuse_overlap(connection, covers)
    bell = await transition(
        connection,
        "INSERT INTO runs (task, sources, mode, arq_job_id)"
        " VALUES (:task, :sources, :mode, :arq_job_id)",
        "'created'",
        "jsonb_build_object('covers', CAST(:covers AS text[]))",
        task=request.task,
        sources=_list(request.sources),
        mode=request.mode,
        arq_job_id=arq_job_id,
        covers=list(covers),
    )
    assert bell is not None
    await connection.execute(
        text(
            "INSERT INTO run_sources (run_id, source, position)"
            " SELECT :run_id, source, position"
            " FROM unnest(CAST(:covers AS text[])) WITH ORDINALITY AS t(source, position)"
        ),
        {"run_id": bell.run_id, "covers": list(covers)},
    )
    return Created(bell, "queued", created=True)


async def _find_covering(
    connection: AsyncConnection, request: RunRequest, covers: Sequence[str]
) -> Created | None:
    """Return the active run that goes through all of these sources, no less thoroughly."""
    return await _find(
        connection,
        "mode IN (:mode, 'full') AND id ="
        " (SELECT run_id FROM run_sources WHERE active AND source = ANY(:covers)"
        " GROUP BY run_id HAVING count(*) = :all)",
        mode=request.mode,
        covers=list(covers),
        all=len(covers),
    )


async def _find(connection: AsyncConnection, condition: str, **values: Any) -> Created | None:
    """Return the run that is there, the first one of several."""
    result = await connection.execute(
        text(f"SELECT {BELL_COLUMNS}, state FROM runs WHERE {condition} ORDER BY id LIMIT 1"),
        values,
    )
    row = result.one_or_none()
    return None if row is None else Created(bell_of(row), row.state, created=False)


async def cancel(connection: AsyncConnection, run_id: int) -> Bell:
    """End a run on the operator's word; its attempt can commit nothing from here on.

    Raises:
        NotFound: no such run.
        Conflict: it has already ended.
    """
    bell = await transition(
        connection,
        "UPDATE runs SET state = 'cancelled', finished_at = now(), waiting_for = NULL,"
        " not_before = NULL WHERE id = :run_id AND state IN ('queued', 'running')",
        "'cancelled'",
        "'{}'::jsonb",
        run_id=run_id,
    )
    if bell is None:
        state = await _state(connection, run_id)
        raise Conflict(f"run {run_id} has ended: it {_HAS_ENDED[state]}")
    return bell


async def retry(
    connection: AsyncConnection, run_id: int, *, accept_losses: Collection[str] = ()
) -> Bell:
    """Open a failed or cancelled run again; it goes on from what is committed.

    Args:
        connection: in a transaction; the caller rings after its commit.
        run_id: the run.
        accept_losses: sources that are believed whatever they have lost, until the run ends; a
            later retry has to name them again.

    Raises:
        NotFound: no such run.
        Conflict: it has not failed, or another run covers one of its sources.
        WrongUse: one of ``accept_losses`` is no source of the run that has still to be done.
    """
    await connection.run_sync(hold, CREATING)
    state = await _state(connection, run_id)
    if state not in {"failed", "cancelled"}:
        raise Conflict(
            f"run {run_id} is {state}", allowed="only a failed or cancelled run is tried again"
        )
    covers = await connection.execute(
        text("SELECT source, state FROM run_sources WHERE run_id = :run_id ORDER BY position"),
        {"run_id": run_id},
    )
    states = {row.source: row.state for row in covers}
    await _refuse_overlap(connection, list(states))
    to_do = [source for source, each in states.items() if each != "succeeded"]
    if wrong := [source for source in accept_losses if source not in to_do]:
        raise WrongUse(
            f"run {run_id} has nothing to do for {', '.join(map(repr, wrong))[:200]}",
            allowed=", ".join(to_do),
        )
    bell = await transition(
        connection,
        "UPDATE runs SET state = 'queued', epoch = epoch + 1, error = NULL, finished_at = NULL,"
        " not_before = NULL, waiting_for = NULL, failures_in_a_row = 0, losses_in_a_row = 0,"
        " losses_alone = 0, rung_at = NULL WHERE id = :run_id",
        "'reopened'",
        "CASE WHEN cardinality(CAST(:accepted AS text[])) > 0 THEN"
        " jsonb_build_object('accepts_losses_of', CAST(:accepted AS text[])) ELSE '{}' END",
        run_id=run_id,
        accepted=sorted(accept_losses),
    )
    assert bell is not None
    await connection.execute(
        text(
            "UPDATE run_sources SET state = 'queued', attempt_started_at = NULL, error = NULL,"
            " accept_losses = source = ANY(CAST(:accepted AS text[]))"
            " WHERE run_id = :run_id AND state <> 'succeeded'"
        ),
        {"run_id": run_id, "accepted": list(accept_losses)},
    )
    return bell


async def reopen(connection: AsyncConnection, request: RunRequest) -> Bell | None:
    """Retry the latest run of the same request, if it failed or was cancelled."""
    result = await connection.execute(
        text(
            "SELECT id, state FROM runs WHERE mode = :mode"
            " AND sources IS NOT DISTINCT FROM CAST(:sources AS text[])"
            " AND state IN ('failed', 'cancelled') ORDER BY id DESC LIMIT 1"
        ),
        {"sources": _list(request.sources), "mode": request.mode},
    )
    row = result.one_or_none()
    return None if row is None else await retry(connection, row.id)


_HAS_ENDED = {"succeeded": "succeeded", "failed": "failed", "cancelled": "was cancelled"}


async def _state(connection: AsyncConnection, run_id: int) -> str:
    result = await connection.execute(
        text("SELECT state FROM runs WHERE id = :run_id FOR UPDATE"), {"run_id": run_id}
    )
    state: str | None = result.scalar_one_or_none()
    if state is None:
        raise NotFound(f"there is no run {run_id}", remedy="list the runs", steps=(LIST_RUNS,))
    return state


async def _refuse_overlap(connection: AsyncConnection, covers: Sequence[str]) -> None:
    result = await connection.execute(
        text(
            "SELECT run_id, array_agg(source ORDER BY source) AS sources FROM run_sources"
            " WHERE active AND source = ANY(:covers) GROUP BY run_id ORDER BY run_id LIMIT 1"
        ),
        {"covers": list(covers)},
    )
    if (row := result.one_or_none()) is not None:
        raise Conflict(
            f"run {row.run_id} is active and covers {', '.join(row.sources)}",
            allowed="one active run a source",
            remedy=f"wait until it has ended, or cancel run {row.run_id}",
            steps=(cancel_run(row.run_id),),
        )


def _list(sources: tuple[str, ...] | None) -> list[str] | None:
    return None if sources is None else list(sources)
