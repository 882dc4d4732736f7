"""Puts back what was lost: runs whose worker is gone, and bells that nobody answers."""

import logging
from collections.abc import Collection
from typing import Any

from psycopg.rows import namedtuple_row

from app.core.process.logs import bound_contextvars
from app.core.runs.future import BEAT_OF_THE_FUTURE, READY, RUNG_LATER
from app.core.runs.transitions import Bell, bell_of
from app.core.workers.liveness import Connection
from app.core.workers.locks import LOCKED_WORKERS
from app.core.workers.timing import Timing

logger = logging.getLogger(__name__)

MOST_LOSSES = 3
"""A run that lost its worker this often in a row by its own fault, without progress, is what kills
it. A loss is its fault when nothing else ran there, and the worker had been up long enough."""

_END_FROZEN = """
SELECT pg_terminate_backend(a.pid) FROM workers w
JOIN pg_stat_activity a ON a.application_name = w.session
WHERE w.stopped_at IS NULL
AND w.heartbeat_at < clock_timestamp() - make_interval(secs => %(stale)s)
AND EXISTS (SELECT FROM runs r WHERE r.worker_id = w.id AND r.state = 'running')
"""

_TAKE = f"""
WITH alive AS MATERIALIZED (
{LOCKED_WORKERS}), dead AS (
  SELECT r.id, r.worker_id AS dead_worker,
    w.heartbeat_at < clock_timestamp() - make_interval(secs => %(stale)s) AS frozen,
    (greatest(w.heartbeat_at, r.attempt_started_at)
      >= w.started_at + make_interval(secs => %(begin)s)
      -- a company may have been taken from the dead a moment ago
      AND NOT EXISTS (SELECT FROM runs o WHERE o.worker_id = r.worker_id AND o.id <> r.id
        AND (o.state = 'running' OR (o.state = 'queued' AND o.losses_in_a_row > 0))))::int AS fault
  FROM runs r JOIN workers w ON w.id = r.worker_id
  WHERE r.state = 'running' AND (
    w.heartbeat_at < clock_timestamp() - make_interval(secs => %(stale)s)
    OR w.id NOT IN (SELECT worker_id FROM alive))
  FOR UPDATE OF r SKIP LOCKED
), taken AS (
  UPDATE runs r SET epoch = r.epoch + 1, losses = r.losses + 1, rung_at = NULL,
    losses_in_a_row = r.losses_in_a_row + 1, losses_alone = r.losses_alone + dead.fault,
    state = CASE WHEN r.losses_alone + dead.fault >= %(most)s THEN 'failed' ELSE 'queued' END,
    finished_at = CASE WHEN r.losses_alone + dead.fault >= %(most)s THEN now() END,
    error = CASE WHEN r.losses_alone + dead.fault >= %(most)s
      THEN 'worker lost ' || %(most)s || ' times' ELSE r.error END
  FROM dead WHERE r.id = dead.id RETURNING r.*, dead.dead_worker, dead.frozen
), noted AS (
  INSERT INTO run_events (run_id, epoch, event, detail)
  SELECT id, epoch - 1, 'lost', jsonb_build_object('worker', dead_worker, 'reason',
    CASE WHEN frozen THEN 'no heartbeat for ' || %(stale)s::text || ' s'
      ELSE 'its session is gone' END) FROM taken
), ended AS (
  INSERT INTO run_events (run_id, epoch, event, detail)
  SELECT id, epoch - 1, 'finished', jsonb_build_object('state', state, 'reason', error) FROM taken
  WHERE state = 'failed'
)
SELECT * FROM taken
"""

_DUE = f"""
UPDATE runs r SET rung_at = now() FROM (
  SELECT id, rung_at IS NOT NULL AS again FROM runs
  WHERE state = 'queued' AND {READY}
  AND (rung_at IS NULL OR rung_at < now() - make_interval(secs => %s) OR {RUNG_LATER})
  ORDER BY created_at, id LIMIT 500 FOR UPDATE SKIP LOCKED
) due WHERE r.id = due.id
RETURNING r.id, r.epoch, r.task, r.sources, r.mode, r.created_at, due.again
"""

_PUT_BACK = """
WITH r AS (
  UPDATE runs SET state = 'queued', epoch = epoch + 1, rung_at = NULL
  WHERE state = 'running' AND (id, epoch) IN (SELECT * FROM unnest(%s::bigint[], %s::int[]))
  RETURNING *
), noted AS (
  INSERT INTO run_events (run_id, epoch, event, detail)
  SELECT id, epoch - 1, 'put back', jsonb_build_object('worker', worker_id, 'reason',
    'its attempt could not say how it ended') FROM r
)
SELECT id FROM r
"""


async def take_from_the_dead(connection: Connection, timing: Timing) -> None:
    """Queue again every running run whose worker's lock is gone or whose heartbeat is stale.

    A frozen worker's sessions are ended first: it may hold the run's row in an open transaction.
    """
    await connection.execute(BEAT_OF_THE_FUTURE)
    await connection.execute(_END_FROZEN, {"stale": timing.stale})
    cursor = connection.cursor(row_factory=namedtuple_row)
    values = {"stale": timing.stale, "begin": timing.begin, "most": MOST_LOSSES}
    await cursor.execute(_TAKE, values)
    rows: list[Any] = await cursor.fetchall()
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


async def bells_due(connection: Connection, timing: Timing) -> list[Bell]:
    """Return queued runs that were never rung, whose delay is over, or whose bell went unanswered.

    Ringing twice is harmless: the claim decides who works.
    """
    cursor = connection.cursor(row_factory=namedtuple_row)
    await cursor.execute(_DUE, (timing.ring_again,))
    return [bell_of(row) for row in await cursor.fetchall()]


async def running_at(connection: Connection, worker_id: int) -> set[tuple[int, int]]:
    """Return run id and epoch of what a worker is said to run."""
    cursor = await connection.execute(
        "SELECT id, epoch FROM runs WHERE worker_id = %s AND state = 'running'", (worker_id,)
    )
    return {(row[0], row[1]) for row in await cursor.fetchall()}


async def put_back(connection: Connection, orphans: Collection[tuple[int, int]]) -> None:
    """Queue again what this worker is said to run but does not.

    That is left behind when PostgreSQL was away at the moment an attempt ended.
    """
    cursor = await connection.execute(
        _PUT_BACK, ([run_id for run_id, _ in orphans], [epoch for _, epoch in orphans])
    )
    for row in await cursor.fetchall():
        with bound_contextvars(run=row[0]):
            logger.warning("run %d was left behind by this worker and is queued again", row[0])
