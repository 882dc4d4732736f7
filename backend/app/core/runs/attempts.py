"""What an attempt does to its run.

Each function is guarded by the epoch and the state: one that no longer holds changes nothing and
says so by returning None (or False).
"""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.runs.future import READY
from app.core.runs.transitions import BELL_COLUMNS, Bell, bell_of, transition

LOSSES_IN_COMPANY = 2
"""After so many losses in a row, without progress, a run is executed alone on its worker."""


_LOST = """
(SELECT e.detail ->> 'worker' FROM run_events e
 WHERE e.id = (SELECT max(id) FROM run_events WHERE run_id = r.id) AND e.event = 'lost')
"""
"""The worker that was lost, if that is the last that happened to the run."""


async def claim(
    connection: AsyncConnection, run_id: int, epoch: int, worker_id: int
) -> Bell | None:
    """Give a queued run to a worker, or return None when it is not there to be had."""
    return await transition(
        connection,
        "UPDATE runs SET state = 'running', worker_id = :worker_id, waiting_for = NULL,"
        " not_before = NULL, attempt_started_at = now(), started_at = coalesce(started_at, now())"
        " WHERE id = :run_id AND epoch = :epoch AND state = 'queued'"
        f" AND {READY}",
        f"CASE WHEN {_LOST} IS NULL THEN 'started' ELSE 'taken over' END",
        f"jsonb_build_object('reason', 'worker ' || {_LOST} || ' was lost')",
        run_id=run_id,
        epoch=epoch,
        worker_id=worker_id,
    )


async def must_run_alone(connection: AsyncConnection, run_id: int) -> bool:
    """Tell whether a run lost its worker twice without progress: it may be what kills it."""
    result = await connection.execute(
        text("SELECT losses_in_a_row >= :most FROM runs WHERE id = :run_id"),
        {"run_id": run_id, "most": LOSSES_IN_COMPANY},
    )
    return bool(result.scalar_one_or_none())


async def has_begun(connection: AsyncConnection, worker_id: int, seconds: float) -> bool:
    """Tell whether a worker has been up for so long, by PostgreSQL's clock."""
    result = await connection.execute(
        text(
            "SELECT now() >= started_at + make_interval(secs => :seconds) FROM workers"
            " WHERE id = :worker_id"
        ),
        {"worker_id": worker_id, "seconds": seconds},
    )
    return bool(result.scalar_one_or_none())


async def next_queued(connection: AsyncConnection) -> Bell | None:
    """Return the oldest run that is ready to start."""
    result = await connection.execute(
        text(
            f"SELECT {BELL_COLUMNS} FROM runs WHERE state = 'queued'"
            f" AND {READY} ORDER BY created_at, id LIMIT 1"
        )
    )
    row = result.one_or_none()
    return None if row is None else bell_of(row)


async def guard(connection: AsyncConnection, run_id: int, epoch: int, *, progress: bool) -> bool:
    """Lock the run for this attempt's transaction; False when the attempt's time has passed.

    Args:
        connection: in a transaction, of which this is to be the first statement.
        run_id: the run.
        epoch: the attempt's.
        progress: whether the transaction gets the run somewhere; that clears the counts of
            failures and losses in a row.
    """
    result = await connection.execute(
        text(
            "UPDATE runs SET"
            " progressed_at = CASE WHEN :progress THEN clock_timestamp() ELSE progressed_at END,"
            " failures_in_a_row = CASE WHEN :progress THEN 0 ELSE failures_in_a_row END,"
            " losses_in_a_row = CASE WHEN :progress THEN 0 ELSE losses_in_a_row END,"
            " losses_alone = CASE WHEN :progress THEN 0 ELSE losses_alone END"
            " WHERE id = :run_id AND epoch = :epoch AND state = 'running'"
        ),
        {"run_id": run_id, "epoch": epoch, "progress": progress},
    )
    return result.rowcount == 1


_MINE = " WHERE id = :run_id AND epoch = :epoch AND state = 'running'"


async def succeed(connection: AsyncConnection, run_id: int, epoch: int) -> Bell | None:
    """End a run well."""
    return await transition(
        connection,
        "UPDATE runs SET state = 'succeeded', finished_at = now(), error = NULL" + _MINE,
        "'finished'",
        "jsonb_build_object('state', r.state)",
        run_id=run_id,
        epoch=epoch,
    )


async def fail(connection: AsyncConnection, run_id: int, epoch: int, error: str) -> Bell | None:
    """End a run that trying again would not mend."""
    return await transition(
        connection,
        "UPDATE runs SET state = 'failed', finished_at = now(), error = :error" + _MINE,
        "'finished'",
        "jsonb_build_object('state', r.state, 'reason', CAST(:error AS text))",
        run_id=run_id,
        epoch=epoch,
        error=error,
    )


async def fail_attempt(
    connection: AsyncConnection,
    run_id: int,
    epoch: int,
    error: str,
    *,
    most: int,
    base: float,
    cap: float,
) -> Bell | None:
    """Count a failed attempt: try again after a jittered exponential delay, or end the run.

    Args:
        connection: in a transaction.
        run_id: the run.
        epoch: the attempt's.
        error: what went wrong, without secrets.
        most: failures in a row, without progress between them, that end the run.
        base: seconds before the second attempt.
        cap: the longest delay, in seconds.
    """
    return await transition(
        connection,
        "UPDATE runs SET error = :error, failures_in_a_row = failures_in_a_row + 1,"
        " state = CASE WHEN failures_in_a_row + 1 >= :most THEN 'failed' ELSE 'queued' END,"
        " finished_at = CASE WHEN failures_in_a_row + 1 >= :most THEN now() END,"
        " attempts = attempts + CASE WHEN failures_in_a_row + 1 >= :most THEN 0 ELSE 1 END,"
        " epoch = epoch + 1, rung_at = NULL, not_before = CASE WHEN failures_in_a_row + 1 < :most"
        "  THEN now() + make_interval(secs =>"
        "  least(:cap, :base * power(2, least(failures_in_a_row, 30))) * (0.5 + random() / 2)) END"
        + _MINE,
        "CASE r.state WHEN 'failed' THEN 'finished' ELSE 'retried in '"
        " || ceil(extract(epoch FROM r.not_before - now())) || ' s' END",
        "jsonb_build_object('state', CASE r.state WHEN 'failed' THEN r.state END, 'reason',"
        " CAST(:error AS text), 'failures_in_a_row', r.failures_in_a_row, 'not_before',"
        " CASE r.state WHEN 'queued' THEN r.not_before END)",
        run_id=run_id,
        epoch=epoch,
        error=error,
        most=most,
        base=base,
        cap=cap,
    )


async def time_out(
    connection: AsyncConnection, run_id: int, epoch: int, seconds: float, *, progressed: bool
) -> Bell | None:
    """An attempt reached its limit: go on in a new one if it got somewhere, else end the run."""
    if not progressed:
        return await fail(
            connection, run_id, epoch, f"timed out after {seconds:g} s without progress"
        )
    return await transition(
        connection,
        "UPDATE runs SET state = 'queued', epoch = epoch + 1, attempts = attempts + 1,"
        " rung_at = NULL" + _MINE,
        "'timed out'",
        "jsonb_build_object('reason', 'reached its limit of ' || :seconds || ' s')",
        run_id=run_id,
        epoch=epoch,
        seconds=f"{seconds:g}",
    )


async def interrupt(connection: AsyncConnection, run_id: int, epoch: int) -> Bell | None:
    """A clean stop of the worker: the run goes back to the queue and no attempt is spent."""
    return await transition(
        connection,
        "UPDATE runs SET state = 'queued', epoch = epoch + 1,"
        " interruptions = interruptions + 1, rung_at = NULL" + _MINE,
        "'interrupted'",
        "jsonb_build_object('reason', 'its worker was stopped')",
        run_id=run_id,
        epoch=epoch,
    )


async def note_fenced(
    connection: AsyncConnection, run_id: int, epoch: int, worker_id: int | None
) -> str | None:
    """Note that an attempt found its epoch gone, and return why; None when it was cancelled."""
    result = await connection.execute(
        text(
            "INSERT INTO run_events (run_id, epoch, event, detail)"
            " SELECT id, :epoch, 'fenced', jsonb_build_object('worker', CAST(:worker_id AS bigint),"
            "  'reason', 'the run is ' || state || ' under epoch ' || epoch)"
            " FROM runs WHERE id = :run_id AND epoch <> :epoch AND state <> 'cancelled'"
            " RETURNING detail ->> 'reason'"
        ),
        {"run_id": run_id, "epoch": epoch, "worker_id": worker_id},
    )
    reason: str | None = result.scalar_one_or_none()
    return reason


async def wait(
    connection: AsyncConnection,
    run_id: int,
    epoch: int,
    what: str,
    seconds: float,
    *,
    reason: str | None = None,
) -> Bell | None:
    """Put back a run that can only wait; no attempt is spent.

    Args:
        connection: in a transaction.
        run_id: the run.
        epoch: the attempt's.
        what: is waited for.
        seconds: until it may start again.
        reason: why, without secrets, if there is more to say than what is waited for.
    """
    return await transition(
        connection,
        "UPDATE runs SET state = 'queued', epoch = epoch + 1, waiting_for = :what,"
        " rung_at = NULL, not_before = now() + make_interval(secs => :seconds)" + _MINE,
        "'waiting for ' || r.waiting_for",
        "jsonb_build_object('not_before', r.not_before, 'reason', CAST(:reason AS text))",
        run_id=run_id,
        epoch=epoch,
        what=what,
        seconds=seconds,
        reason=reason,
    )
