"""How an attempt ended, and how that is recorded."""

import asyncio
import logging

from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.config import Settings
from app.core.errors import Superseded, UserError, Wait
from app.core.postgres import away
from app.core.postgres.away import is_away
from app.core.process.redaction import redact
from app.core.runs import attempts
from app.core.runs.attempt import Attempt
from app.core.runs.transitions import Bell
from app.db.text import storable

logger = logging.getLogger(__name__)

INTERRUPTED, TIMED_OUT = "interrupted", "timed out"
"""What ends an attempt besides its work."""

LONGEST_ERROR = 2_000
"""Characters of an error that are kept with its run; all of it is in the log."""

Outcome = BaseException | str | None
"""What ended an attempt: None when its work is done."""


def outcome_of(task: asyncio.Task[None], *, interrupted: bool) -> Outcome:
    """Return what the work ended with."""
    error = None if not task.done() or task.cancelled() else task.exception()
    if task.done() and not task.cancelled() and error is None:
        return None
    if interrupted:
        return INTERRUPTED
    return TIMED_OUT if error is None else error


async def record(  # noqa: PLR0911 - one for each way to end
    connection: AsyncConnection,
    attempt: Attempt,
    outcome: Outcome,
    *,
    limit: float,
    settings: Settings,
) -> Bell | None:
    """Record how an attempt ended; None when the run is no longer this attempt's."""
    key = attempt.key
    if outcome is None:
        logger.info("succeeded")
        return await attempts.succeed(connection, *key)
    if outcome is INTERRUPTED:
        logger.info("interrupted, the run goes back to the queue")
        return await attempts.interrupt(connection, *key)
    if outcome is TIMED_OUT:
        logger.warning("reached its limit of %g s", limit)
        return await attempts.time_out(connection, *key, limit, progressed=attempt.progressed)
    if isinstance(outcome, Superseded):
        return None
    if isinstance(outcome, Wait):
        logger.warning("%s", outcome)
        seconds = min(max(0.0, outcome.seconds), settings.upstream_longest_wait)
        reason = getattr(outcome, "reason", None)
        reason = None if reason is None else _plain(reason)
        return await attempts.wait(connection, *key, outcome.what, seconds, reason=reason)
    if isinstance(outcome, BaseException) and is_away(outcome):
        logger.warning("lost PostgreSQL: %s", outcome)
        return await attempts.wait(connection, *key, *away.reason(outcome))
    if isinstance(outcome, UserError):
        logger.error("failed: %s", outcome)
        return await attempts.fail(connection, *key, _plain(str(outcome)))
    assert isinstance(outcome, BaseException)
    logger.error("the attempt failed", exc_info=outcome)
    text = _plain(f"{type(outcome).__name__}: {outcome}")
    return await record_failure(connection, attempt, text, settings)


async def record_failure(
    connection: AsyncConnection, attempt: Attempt, error: str, settings: Settings
) -> Bell | None:
    """Count a failure: the run is tried again later, or ends."""
    return await attempts.fail_attempt(
        connection,
        *attempt.key,
        error,
        most=settings.run_max_failures,
        base=settings.run_backoff_base,
        cap=settings.run_backoff_cap,
    )


async def record_fenced(
    connection: AsyncConnection, attempt: Attempt, worker_id: int | None
) -> None:
    """Note that the run went on without this attempt, unless it was cancelled."""
    reason = await attempts.note_fenced(connection, *attempt.key, worker_id)
    if reason is None:
        logger.info("stopped: the run was cancelled")
    else:
        logger.warning("fenced: %s, this attempt changes nothing any more", reason)


def _plain(error: str) -> str:
    """Make a text of it that PostgreSQL takes and that holds no secret."""
    return redact(storable(error))[:LONGEST_ERROR]
