"""Determines how an attempt ended, and records it."""

import asyncio
import logging
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.config import Settings
from app.core.errors import Superseded, UserError, Wait
from app.core.postgres.unavailable import is_unavailable, waiting_for
from app.core.process.redaction import redact
from app.core.runs import transitions
from app.core.runs.attempt import Attempt
from app.core.runs.ref import RunRef
from app.db.text import storable

logger = logging.getLogger(__name__)

MAX_ERROR_LENGTH = 2_000
"""Characters of an error that are stored with its run. The log has the full error."""

_RECORD_FENCED = text(
    """
    INSERT INTO run_events (run_id, epoch, event, detail)
    SELECT id, :epoch, 'fenced', jsonb_build_object('worker', CAST(:worker_id AS bigint),
      'reason', 'the run is ' || state || ' under epoch ' || epoch)
    FROM runs WHERE id = :run_id AND epoch <> :epoch AND state <> 'cancelled'
    RETURNING detail ->> 'reason'
    """
)


class Interrupted(Exception):
    """The worker is being stopped."""


class TimedOut(Exception):
    """The attempt reached its timeout."""


Outcome = BaseException | None
"""The exception that ended an attempt; None if its work is done."""


def outcome_of(task: asyncio.Task[None], *, interrupted: bool) -> Outcome:
    """Return how the work of an attempt ended.

    Args:
        task: the task of the work.
        interrupted: whether the worker is being stopped.
    """
    error = None if not task.done() or task.cancelled() else task.exception()
    if task.done() and not task.cancelled() and error is None:
        return None
    if interrupted:
        return Interrupted()
    return error or TimedOut()


async def record(
    connection: AsyncConnection,
    attempt: Attempt,
    outcome: Outcome,
    *,
    timeout: float,  # noqa: ASYNC109 - the one that has passed
    settings: Settings,
) -> RunRef | None:
    """Record how an attempt ended; return None when the run no longer belongs to the attempt."""
    more: dict[str, Any]
    match outcome:
        case Superseded():
            return None
        case None:
            logger.info("succeeded")
            statement, more = transitions.SUCCEED, {}
        case Interrupted():
            logger.info("interrupted by the stop of the worker; the run goes back to the queue")
            statement, more = transitions.INTERRUPT, {}
        case TimedOut() if attempt.progressed:
            logger.warning("timed out after %g s; the run goes back to the queue", timeout)
            statement, more = transitions.TIME_OUT, {"timeout": timeout}
        case TimedOut():
            error = f"timed out after {timeout:g} s without progress"
            logger.error("failed: %s", error)
            statement, more = transitions.FAIL, {"error": error}
        case Wait():
            logger.warning("%s; the run goes back to the queue", outcome)
            seconds = min(max(0.0, outcome.seconds), settings.upstream_longest_wait)
            statement, more = transitions.WAIT, _wait(outcome.what, seconds, outcome.reason)
        case _ if is_unavailable(outcome):
            logger.warning("PostgreSQL is unavailable; the run goes back to the queue: %s", outcome)
            statement, more = transitions.WAIT, _wait(*waiting_for(outcome))
        case UserError():
            logger.error("failed: %s", outcome)
            statement, more = transitions.FAIL, {"error": _storable(str(outcome))}
        case _:
            logger.error("the attempt failed", exc_info=outcome)
            error = _storable(f"{type(outcome).__name__}: {outcome}")
            return await record_failure(connection, attempt, error, settings)
    run_id, epoch = attempt.ref.key
    return await transitions.apply(connection, statement, run_id=run_id, epoch=epoch, **more)


def _wait(waiting_for: str, seconds: float, why: str | None = None) -> dict[str, Any]:
    reason = None if why is None else _storable(why)
    return {"waiting_for": waiting_for, "seconds": seconds, "reason": reason}


async def record_failure(
    connection: AsyncConnection, attempt: Attempt, error: str, settings: Settings
) -> RunRef | None:
    """Count a failed attempt: the run is retried after a backoff, or fails for good."""
    return await transitions.apply(
        connection,
        transitions.RETRY_LATER,
        run_id=attempt.ref.run_id,
        epoch=attempt.ref.epoch,
        error=error,
        max_failures=settings.run_max_failures,
        backoff_base=settings.run_backoff_base,
        backoff_cap=settings.run_backoff_cap,
    )


async def record_fenced(
    connection: AsyncConnection, attempt: Attempt, worker_id: int | None
) -> None:
    """Record that a newer epoch fenced this attempt, unless the run was cancelled."""
    result = await connection.execute(
        _RECORD_FENCED,
        {"run_id": attempt.ref.run_id, "epoch": attempt.ref.epoch, "worker_id": worker_id},
    )
    reason: str | None = result.scalar_one_or_none()
    if reason is None:
        logger.info("the attempt stopped because the run was cancelled")
    else:
        logger.warning("fenced: this attempt changes nothing, because %s", reason)


def _storable(error: str) -> str:
    """Return an error in a form that can be stored: redacted, without NUL, and truncated."""
    return redact(storable(error))[:MAX_ERROR_LENGTH]
