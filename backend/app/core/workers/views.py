"""Read-only views of the workers and the queue, for the API and the command line."""

from collections.abc import Collection
from datetime import datetime
from typing import Annotated, get_args

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.process.version import Comparison, compare, version
from app.core.text.field_docs import View, one_of

MAX_ROWS = 100
"""The maximum number of workers, and of queued runs, in a response."""

_HOSTS = text("SELECT id, host FROM workers WHERE id = ANY(CAST(:ids AS int[]))")


class Worker(View):
    """A process that executes runs, or did so in the last hour."""

    id: int
    kind: Annotated[str, one_of(("arq", "api"))]
    """`api` where the API executes runs itself."""
    host: str
    pid: int
    version: str
    """The version of its code, with a digest of the code."""
    code: Annotated[str, one_of(get_args(Comparison))]
    """Its code compared with the code of the API: `older` and `newer` compare version numbers, and
    `other` means that only the digest differs."""
    alive: bool
    """Whether it holds its lock in PostgreSQL and its last heartbeat is at most 30 s old."""
    frozen: bool
    """True if it holds its lock although its last heartbeat is too old: its process is stopped or
    blocked, or its host is overloaded."""
    heartbeat_at: datetime
    heartbeat_age: float
    """Seconds since the last heartbeat."""
    loop_lag: float
    """The maximum delay of the worker's event loop in the last minute, in seconds."""
    started_at: datetime
    slots: int | None
    """The maximum number of concurrent runs; null if not known."""
    runs: list[int]
    """The ids of the runs that the worker executes."""
    schedules: list[str]
    """The schedules whose work it is doing, such as a backup."""
    lost: list[int]
    """The ids of the runs that it lost when it died; at most 10, the latest first."""


class Waiting(View):
    """A queued run and what it waits for."""

    run: int
    age: float
    """Seconds since the run was queued, or queued again."""
    since: datetime
    """When the run was queued, or queued again."""
    waiting_for: str | None
    """What the run waits for, such as a service; null if it waits only for a free worker."""
    not_before: datetime | None
    """The run does not start before this time."""


class WorkerStatus(View):
    """The workers and the queue."""

    version: str
    """The version of the code of the API."""
    workers: list[Worker]
    """At most 100 workers, living ones first."""
    queue_depth: int
    """The number of queued runs."""
    oldest_waiting: float | None
    """Age of the oldest queued run, in seconds; null if no run is queued."""
    waiting: list[Waiting]
    """At most 100 queued runs, the oldest first."""
    arq_health: str | None
    """arq's health line; null if Redis is unavailable or not used."""


# a worker that reconnected has a new id under the same session name
_WORKERS = text(
    """
    SELECT w.id, w.kind, w.host, w.pid, w.version, w.started_at, w.loop_lag, w.slots,
      w.heartbeat_at,
      extract(epoch FROM clock_timestamp() - w.heartbeat_at)::float8 AS heartbeat_age,
      life.alive, life.holds_lock AND life.frozen AS frozen,
      ARRAY(SELECT r.id FROM runs r WHERE r.worker_id = w.id AND r.state = 'running'
            ORDER BY r.id) AS runs,
      ARRAY(SELECT s.name FROM schedule_ticks t JOIN schedules s ON s.id = t.schedule_id
            WHERE t.worker_id = w.id AND t.outcome = 'running' ORDER BY s.name) AS schedules,
      ARRAY(SELECT DISTINCT e.run_id FROM run_events e
            WHERE NOT life.alive AND e.detail ->> 'worker' = w.id::text AND e.event = 'lost'
            ORDER BY e.run_id DESC LIMIT 10) AS lost
    FROM workers w JOIN worker_liveness life ON life.id = w.id
    WHERE w.stopped_at IS NULL
      AND (w.heartbeat_at > clock_timestamp() - interval '1 hour' OR life.holds_lock)
      AND NOT EXISTS (SELECT FROM workers n WHERE n.session = w.session AND n.id > w.id)
    ORDER BY life.alive DESC, w.heartbeat_at DESC, w.id LIMIT :limit
    """
)

# the age counts from the last event of the run
_WAITING = text(
    """
    WITH queued AS (
      SELECT r.id AS run, r.created_at, r.waiting_for, r.not_before,
        e.at AS since, extract(epoch FROM clock_timestamp() - e.at)::float8 AS age
      FROM runs r CROSS JOIN LATERAL
        (SELECT max(at) AS at FROM run_events WHERE run_id = r.id) e
      WHERE r.state = 'queued'
    )
    SELECT run, waiting_for, not_before, age, since, count(*) OVER () AS depth,
      max(age) OVER () AS oldest
    FROM queued ORDER BY created_at, run LIMIT :limit
    """
)


async def list_workers(connection: AsyncConnection) -> list[Worker]:
    """Return the workers that are alive or died in the last hour; those alive come first."""
    result = await connection.execute(_WORKERS, {"limit": MAX_ROWS})
    return [Worker(**row, code=compare(row["version"])) for row in result.mappings()]


async def worker_status(connection: AsyncConnection, *, arq_health: str | None) -> WorkerStatus:
    """Return the workers and the queue.

    Args:
        connection: to read from.
        arq_health: arq's own health line, if arq is used and Redis has one.
    """
    workers = await list_workers(connection)
    waiting = (await connection.execute(_WAITING, {"limit": MAX_ROWS})).all()
    return WorkerStatus(
        version=version(),
        workers=workers,
        queue_depth=waiting[0].depth if waiting else 0,
        oldest_waiting=waiting[0].oldest if waiting else None,
        waiting=[
            Waiting(
                run=w.run,
                age=w.age,
                since=w.since,
                waiting_for=w.waiting_for,
                not_before=w.not_before,
            )
            for w in waiting
        ],
        arq_health=arq_health,
    )


async def hosts_of(connection: AsyncConnection, ids: Collection[int]) -> dict[int, str]:
    """Return the hosts of workers, by their ids. A worker that was removed is left out."""
    found = await connection.execute(_HOSTS, {"ids": list(ids)})
    return {row.id: row.host for row in found}
