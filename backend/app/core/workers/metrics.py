"""The numbers of the job engine that an operator alerts on: three set-based queries, read-only."""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(frozen=True, slots=True)
class RunNumbers:
    """What all runs of one state come to.

    Attributes:
        runs: how many there are.
        failures: attempts that failed and were followed by another.
        losses: attempts whose worker died.
        interruptions: attempts that a worker's clean stop ended.
        age: seconds since the oldest of them was first started.
        idle: seconds since that one last got somewhere, or was taken up, that is idle longest.
    """

    runs: int
    failures: int
    losses: int
    interruptions: int
    age: float | None
    idle: float | None


@dataclass(frozen=True, slots=True)
class EngineNumbers:
    """How the job engine is.

    Attributes:
        workers: alive, by kind.
        runs: by state; a state that no run has is missing.
        waiting: queued runs, by what they wait for other than a free worker.
        oldest_waiting: seconds that the queued run has waited that has waited longest.
    """

    workers: dict[str, int]
    runs: dict[str, RunNumbers]
    waiting: dict[str, int]
    oldest_waiting: float


# a session that is half open may leave a worker two ids
_WORKERS = text(
    """
    SELECT w.kind, count(DISTINCT w.session) AS alive
    FROM workers w JOIN worker_liveness life ON life.id = w.id AND life.alive GROUP BY w.kind
    """
)

_RUNS = text(
    """
    SELECT state, count(*) AS runs, sum(attempts - 1) AS failures, sum(losses) AS losses,
      sum(interruptions) AS interruptions,
      extract(epoch FROM clock_timestamp() - min(started_at))::float8 AS age,
      extract(epoch FROM clock_timestamp()
        - min(greatest(progressed_at, attempt_started_at)))::float8 AS idle
    FROM runs GROUP BY state
    """
)

_WAITING = text(
    """
    SELECT r.waiting_for, count(*) AS runs,
      max(extract(epoch FROM clock_timestamp() - e.at)::float8) AS oldest
    FROM runs r CROSS JOIN LATERAL (SELECT max(at) AS at FROM run_events WHERE run_id = r.id) e
    WHERE r.state = 'queued' GROUP BY r.waiting_for
    """
)


async def engine_numbers(connection: AsyncConnection) -> EngineNumbers:
    """Return how the job engine is.

    The counts of attempts never fall while no run is deleted.
    """
    workers = (await connection.execute(_WORKERS)).all()
    runs = (await connection.execute(_RUNS)).mappings().all()
    waiting = (await connection.execute(_WAITING)).all()
    return EngineNumbers(
        workers={row.kind: row.alive for row in workers},
        runs={
            row["state"]: RunNumbers(**{k: v for k, v in row.items() if k != "state"})
            for row in runs
        },
        waiting={row.waiting_for: row.runs for row in waiting if row.waiting_for is not None},
        oldest_waiting=max((row.oldest or 0.0 for row in waiting), default=0.0),
    )
