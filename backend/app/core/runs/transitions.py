"""Every statement that changes `runs.state`. No other module contains one.

::

    queued ──claim──> running ──succeed, fail──> succeeded | failed
      ^  ^               │
      │  └── interrupt, wait, retry later, time out, release, take from dead (under the next epoch)
      └───── reopen ── failed | cancelled <──cancel── queued | running

Each statement is complete: it checks the state, and for an attempt the epoch, changes the run, and
records the event. The event belongs to the attempt that ended or began, and has an `actor` if a
person, a schedule or a client caused it. The statement returns one row per changed run. If the
check fails, it changes nothing and returns no row. Each statement lists the columns that it
returns, because a migration may add a column while a process runs, and PostgreSQL refuses to
execute a prepared statement whose result type has changed.

A trigger acts beside these statements. After a change of `runs.state`, ``run_sources_follow_run``
(migration 0001) sets `run_sources.active`, by which a unique index keeps two active runs from
covering one source, and ends the sources that an ended run had not finished.
"""

from typing import Any

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.runs.ref import RunRef

CREATE = text(
    """
    WITH run AS (
      INSERT INTO runs (task, sources, mode, genes, arq_job_id, traceparent)
      VALUES (:task, :sources, :mode, CAST(:genes AS text[]), :arq_job_id, :traceparent)
      RETURNING *
    ), covered AS (
      INSERT INTO run_sources (run_id, source, position)
      SELECT run.id, source, position
      FROM run, unnest(CAST(:covers AS text[])) WITH ORDINALITY AS t(source, position)
    ), recorded AS (
      INSERT INTO run_events (run_id, epoch, event, actor, detail)
      SELECT id, epoch, 'created', CAST(:actor AS text),
        jsonb_build_object('covers', CAST(:covers AS text[]))
      FROM run
    )
    SELECT id, epoch, task, sources, mode FROM run
    """
)
"""Create a queued run and the sources that it covers. Called by `operations.create`. Event:
`created`."""

CLAIM = text(
    """
    WITH lost AS (
      SELECT event.detail ->> 'worker' AS worker FROM run_events event
      WHERE event.id = (SELECT max(id) FROM run_events WHERE run_id = :run_id)
        AND event.event = 'lost'
    ), run AS (
      UPDATE runs SET state = 'running', worker_id = :worker_id, waiting_for = NULL,
        not_before = NULL, attempt_started_at = now(), started_at = coalesce(started_at, now())
      WHERE id = :run_id AND epoch = :epoch AND state = 'queued'
        AND EXISTS (SELECT FROM ready_runs ready WHERE ready.id = :run_id)
      RETURNING *
    ), recorded AS (
      INSERT INTO run_events (run_id, epoch, event, detail)
      SELECT run.id, run.epoch,
        CASE WHEN lost.worker IS NULL THEN 'claimed' ELSE 'taken over' END,
        jsonb_strip_nulls(jsonb_build_object(
          'worker', run.worker_id, 'reason', 'worker ' || lost.worker || ' was lost'))
      FROM run LEFT JOIN lost ON true
    )
    SELECT id, epoch, task, sources, mode FROM run
    """
)
"""Assign a queued run that is ready to a worker. Called by `claiming.claim`. Event: `claimed`, or
`taken over` if the latest event of the run is the loss of its worker."""

SUCCEED = text(
    """
    WITH run AS (
      UPDATE runs SET state = 'succeeded', finished_at = now(), error = NULL
      WHERE id = :run_id AND epoch = :epoch AND state = 'running'
      RETURNING *
    ), recorded AS (
      INSERT INTO run_events (run_id, epoch, event, detail)
      SELECT id, epoch, 'succeeded', jsonb_build_object('worker', worker_id) FROM run
    )
    SELECT id, epoch, task, sources, mode FROM run
    """
)
"""End a run whose work is done. Called by `outcome.record`. Event: `succeeded`."""

FAIL = text(
    """
    WITH run AS (
      UPDATE runs SET state = 'failed', finished_at = now(), error = :error
      WHERE id = :run_id AND epoch = :epoch AND state = 'running'
      RETURNING *
    ), recorded AS (
      INSERT INTO run_events (run_id, epoch, event, detail)
      SELECT id, epoch, 'failed', jsonb_build_object('worker', worker_id, 'reason', error) FROM run
    )
    SELECT id, epoch, task, sources, mode FROM run
    """
)
"""Fail a run for which another attempt would be futile. Called by `outcome.record`. Event:
`failed`."""

RETRY_LATER = text(
    """
    WITH mine AS (
      SELECT id, failures_in_a_row + 1 AS failures, failures_in_a_row + 1 >= :max_failures AS over,
        least(:backoff_cap, :backoff_base * power(2, least(failures_in_a_row, 30)))
          * (0.5 + random() / 2) AS seconds
      FROM runs WHERE id = :run_id AND epoch = :epoch AND state = 'running'
      FOR UPDATE
    ), run AS (
      UPDATE runs SET error = :error, failures_in_a_row = mine.failures, epoch = epoch + 1,
        state = CASE WHEN mine.over THEN 'failed' ELSE 'queued' END,
        finished_at = CASE WHEN mine.over THEN now() END,
        attempts = attempts + CASE WHEN mine.over THEN 0 ELSE 1 END,
        wake_up_sent_at = NULL,
        not_before = CASE WHEN NOT mine.over THEN now() + make_interval(secs => mine.seconds) END
      FROM mine WHERE runs.id = mine.id
      RETURNING runs.*
    ), recorded AS (
      INSERT INTO run_events (run_id, epoch, event, detail)
      SELECT run.id, run.epoch - 1, CASE WHEN mine.over THEN 'failed' ELSE 'attempt failed' END,
        jsonb_strip_nulls(jsonb_build_object(
          'worker', run.worker_id, 'reason', run.error, 'failures_in_a_row', mine.failures,
          'retry_in', CASE WHEN NOT mine.over THEN ceil(mine.seconds) END,
          'not_before', run.not_before))
      FROM run JOIN mine USING (id)
    )
    SELECT id, epoch, task, sources, mode FROM run
    """
)
"""Count a failed attempt: requeue the run with a jittered exponential backoff, or fail it after
`max_failures` failures in a row without progress. Called by `outcome.record`. Event:
`attempt failed` or `failed`."""

TIME_OUT = text(
    """
    WITH run AS (
      UPDATE runs SET state = 'queued', epoch = epoch + 1, attempts = attempts + 1,
        wake_up_sent_at = NULL
      WHERE id = :run_id AND epoch = :epoch AND state = 'running'
      RETURNING *
    ), recorded AS (
      INSERT INTO run_events (run_id, epoch, event, detail)
      SELECT id, epoch - 1, 'timed out', jsonb_build_object(
        'worker', worker_id, 'timeout', CAST(:timeout AS float8)) FROM run
    )
    SELECT id, epoch, task, sources, mode FROM run
    """
)
"""Requeue a run whose attempt made progress before it reached its timeout. Called by
`outcome.record`, which fails the run if the attempt made no progress. Event: `timed out`."""

INTERRUPT = text(
    """
    WITH run AS (
      UPDATE runs SET state = 'queued', epoch = epoch + 1, interruptions = interruptions + 1,
        wake_up_sent_at = NULL
      WHERE id = :run_id AND epoch = :epoch AND state = 'running'
      RETURNING *
    ), recorded AS (
      INSERT INTO run_events (run_id, epoch, event, detail)
      SELECT id, epoch - 1, 'interrupted', jsonb_build_object(
        'worker', worker_id, 'reason', 'its worker was stopped') FROM run
    )
    SELECT id, epoch, task, sources, mode FROM run
    """
)
"""Requeue a run whose worker is being stopped; this costs no attempt. Called by `outcome.record`.
Event: `interrupted`."""

WAIT = text(
    """
    WITH run AS (
      UPDATE runs SET state = 'queued', epoch = epoch + 1, waiting_for = :waiting_for,
        wake_up_sent_at = NULL, not_before = now() + make_interval(secs => :seconds)
      WHERE id = :run_id AND epoch = :epoch AND state = 'running'
      RETURNING *
    ), recorded AS (
      INSERT INTO run_events (run_id, epoch, event, detail)
      SELECT id, epoch - 1, 'waiting', jsonb_strip_nulls(jsonb_build_object(
        'worker', worker_id, 'waiting_for', waiting_for, 'not_before', not_before,
        'reason', CAST(:reason AS text))) FROM run
    )
    SELECT id, epoch, task, sources, mode FROM run
    """
)
"""Requeue a run that can only wait, for an upstream service for example; this costs no attempt.
Called by `outcome.record`. Event: `waiting`."""

TAKE_FROM_DEAD = text(
    """
    WITH dead AS (
      SELECT r.id, r.worker_id AS dead_worker, life.frozen, w.heartbeat_timeout,
        (greatest(w.heartbeat_at, r.attempt_started_at)
            >= w.started_at + make_interval(secs => :begin)
          -- another run of the same worker may have been requeued a moment ago
          AND NOT EXISTS (
            SELECT FROM runs other WHERE other.worker_id = r.worker_id AND other.id <> r.id
              AND (other.state = 'running'
                OR (other.state = 'queued' AND other.losses_in_a_row > 0))))::int AS fault
      FROM runs r JOIN workers w ON w.id = r.worker_id JOIN worker_liveness life ON life.id = w.id
      WHERE r.state = 'running' AND NOT life.alive
      FOR UPDATE OF r SKIP LOCKED
    ), run AS (
      UPDATE runs r SET epoch = r.epoch + 1, losses = r.losses + 1, wake_up_sent_at = NULL,
        losses_in_a_row = r.losses_in_a_row + 1, losses_alone = r.losses_alone + dead.fault,
        state = CASE WHEN r.losses_alone + dead.fault >= :max_losses
          THEN 'failed' ELSE 'queued' END,
        finished_at = CASE WHEN r.losses_alone + dead.fault >= :max_losses THEN now() END,
        error = CASE WHEN r.losses_alone + dead.fault >= :max_losses
          THEN 'worker lost ' || CAST(:max_losses AS int) || ' times' ELSE r.error END
      FROM dead WHERE r.id = dead.id
      RETURNING r.*, dead.dead_worker, dead.frozen, dead.heartbeat_timeout
    ), recorded AS (
      INSERT INTO run_events (run_id, epoch, event, detail)
      SELECT id, epoch - 1, 'lost', jsonb_build_object('worker', dead_worker, 'reason',
        CASE WHEN frozen THEN 'no heartbeat for ' || heartbeat_timeout || ' s'
          ELSE 'its session is gone' END)
      FROM run
      UNION ALL
      SELECT id, epoch - 1, 'failed', jsonb_build_object('reason', error) FROM run
      WHERE state = 'failed'
    )
    SELECT id, epoch, state, dead_worker, frozen FROM run
    """
)
"""Requeue every running run whose worker is not alive. Called by `recovery.take_from_the_dead`.
Event: `lost`, and also `failed` for a run that is not requeued.

A run that loses its worker `max_losses` times by its own fault, without progress, presumably kills
its workers, so it fails. A loss is the run's fault if the worker executed no other run and had been
up for `begin` seconds."""

RELEASE = text(
    """
    WITH run AS (
      UPDATE runs SET state = 'queued', epoch = epoch + 1, wake_up_sent_at = NULL
      WHERE state = 'running' AND (id, epoch) IN (
        SELECT * FROM unnest(CAST(:run_ids AS bigint[]), CAST(:epochs AS int[])))
      RETURNING *
    ), recorded AS (
      INSERT INTO run_events (run_id, epoch, event, detail)
      SELECT id, epoch - 1, 'released', jsonb_build_object(
        'worker', worker_id, 'reason', 'its attempt could not record how it ended') FROM run
    )
    SELECT id, epoch, task, sources, mode FROM run
    """
)
"""Requeue runs that PostgreSQL assigns to a worker that does not execute them. Called by
`recovery.release`. Event: `released`."""

CANCEL = text(
    """
    WITH before AS (
      SELECT id, CASE state WHEN 'running' THEN worker_id END AS worker_id FROM runs
      WHERE id = :run_id AND state IN ('queued', 'running')
      FOR UPDATE
    ), run AS (
      UPDATE runs SET state = 'cancelled', finished_at = now(), waiting_for = NULL,
        not_before = NULL
      FROM before WHERE runs.id = before.id
      RETURNING runs.*
    ), recorded AS (
      INSERT INTO run_events (run_id, epoch, event, actor, detail)
      SELECT run.id, run.epoch, 'cancelled', CAST(:actor AS text),
        jsonb_strip_nulls(jsonb_build_object('worker', before.worker_id))
      FROM run JOIN before USING (id)
    )
    SELECT id, epoch, task, sources, mode FROM run
    """
)
"""End an active run on request. From then on its attempt cannot commit anything.
Called by `operations.cancel`. Event: `cancelled`."""

REOPEN = text(
    """
    WITH run AS (
      UPDATE runs SET state = 'queued', epoch = epoch + 1, error = NULL, finished_at = NULL,
        not_before = NULL, waiting_for = NULL, failures_in_a_row = 0, losses_in_a_row = 0,
        losses_alone = 0, wake_up_sent_at = NULL
      WHERE id = :run_id AND state IN ('failed', 'cancelled')
      RETURNING *
    ), recorded AS (
      INSERT INTO run_events (run_id, epoch, event, actor)
      SELECT id, epoch, 'reopened', CAST(:actor AS text) FROM run
    )
    SELECT id, epoch, task, sources, mode FROM run
    """
)
"""Requeue a failed or cancelled run; it continues from what it has committed. Called by
`operations.retry` and `operations.accept`. Event: `reopened`."""


async def apply(connection: AsyncConnection, statement: TextClause, **values: Any) -> RunRef | None:
    """Execute a transition of one run.

    Returns:
        The run after the transition, or None if its state or epoch did not allow the transition.
    """
    row = (await connection.execute(statement, values)).one_or_none()
    return None if row is None else RunRef.of(row)
