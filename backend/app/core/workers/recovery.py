"""Requeues the runs of dead workers, and resends unanswered wake-ups."""

import logging
from collections.abc import Collection

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.process.logs import bound_contextvars
from app.core.runs import transitions
from app.core.runs.ref import RunRef
from app.core.workers.timing import Timing

logger = logging.getLogger(__name__)

MAX_LOSSES = 3
"""A run fails after it has lost this many workers in a row by its own fault, without progress."""

_RUNNING_HERE = text(
    "SELECT id, epoch FROM runs WHERE worker_id = :worker_id AND state = 'running'"
)

_END_SESSIONS_OF_FROZEN = text(
    """
    WITH corrected AS (
      -- after PostgreSQL's clock was set back, a heartbeat in the future would look fresh for long
      UPDATE workers SET heartbeat_at = clock_timestamp() WHERE id IN (
        SELECT id FROM workers WHERE stopped_at IS NULL
          AND heartbeat_at > clock_timestamp() + interval '10 s'
        FOR UPDATE SKIP LOCKED)
    )
    SELECT pg_terminate_backend(a.pid)
    FROM workers w JOIN worker_liveness life ON life.id = w.id AND life.frozen
      JOIN pg_stat_activity a ON a.application_name = w.session
    WHERE w.stopped_at IS NULL
      AND (EXISTS (SELECT FROM runs r WHERE r.worker_id = w.id AND r.state = 'running')
        OR EXISTS (
          SELECT FROM schedule_ticks t WHERE t.worker_id = w.id AND t.outcome = 'running'))
    """
)

_WAKE_UPS_DUE = text(
    """
    UPDATE runs SET wake_up_sent_at = now() FROM (
      SELECT r.id, r.wake_up_sent_at IS NOT NULL AS unanswered
      FROM runs r JOIN ready_runs USING (id)
      WHERE r.wake_up_sent_at IS NULL
        OR r.wake_up_sent_at < now() - make_interval(secs => :seconds)
        -- PostgreSQL's clock was set back since
        OR r.wake_up_sent_at > now() + interval '1 minute'
      ORDER BY r.created_at, r.id LIMIT 500 FOR UPDATE OF r SKIP LOCKED
    ) due WHERE runs.id = due.id
    RETURNING runs.id, runs.epoch, runs.task, runs.sources, runs.mode, due.unanswered
    """
)


async def running_here(connection: AsyncConnection, worker_id: int) -> set[tuple[int, int]]:
    """Return the id and the epoch of each run that PostgreSQL assigns to a worker."""
    rows = await connection.execute(_RUNNING_HERE, {"worker_id": worker_id})
    return {(row.id, row.epoch) for row in rows}


async def release(connection: AsyncConnection, orphans: Collection[tuple[int, int]]) -> None:
    """Requeue the runs that PostgreSQL assigns to this worker but that it does not execute.

    This happens if PostgreSQL was unavailable at the end of an attempt, or if the reply to a claim
    was lost.
    """
    rows = await connection.execute(
        transitions.RELEASE,
        {
            "run_ids": [run_id for run_id, _ in orphans],
            "epochs": [epoch for _, epoch in orphans],
        },
    )
    for row in rows:
        with bound_contextvars(run=row.id):
            logger.warning(
                "run %d goes back to the queue, because the end of its attempt could not be"
                " recorded",
                row.id,
            )


async def take_from_the_dead(connection: AsyncConnection, timing: Timing) -> None:
    """Requeue every running run whose worker is not alive.

    A frozen worker may still lock the run's row in an open transaction, so its sessions are
    terminated first.
    """
    await connection.execute(_END_SESSIONS_OF_FROZEN)
    rows = await connection.execute(
        transitions.TAKE_FROM_DEAD, {"begin": timing.begin, "max_losses": MAX_LOSSES}
    )
    for row in rows:
        with bound_contextvars(run=row.id, epoch=row.epoch):
            logger.warning(
                "run %d lost its worker %d (%s); it is %s under epoch %d",
                row.id,
                row.dead_worker,
                "frozen" if row.frozen else "gone",
                row.state,
                row.epoch,
            )


async def wake_ups_due(connection: AsyncConnection, timing: Timing) -> dict[RunRef, bool]:
    """Return the ready runs that need a wake-up, and whether a former one went unanswered.

    A duplicate wake-up is harmless: the claim decides which worker executes the run.
    """
    rows = await connection.execute(_WAKE_UPS_DUE, {"seconds": timing.wake_again})
    return {RunRef.of(row): row.unanswered for row in rows}
