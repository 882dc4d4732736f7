"""The numbers of the job engine that an operator alerts on: three set-based queries, read-only."""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.workers.locks import LOCKED_WORKERS
from app.core.workers.timing import DEFAULT_TIMING
from app.core.workers.views import QUEUED


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
    f"""
    WITH locks AS MATERIALIZED ({LOCKED_WORKERS})
    SELECT w.kind, count(DISTINCT w.session) AS alive
    FROM workers w JOIN locks ON locks.worker_id = w.id
    WHERE w.heartbeat_at >= clock_timestamp() - make_interval(secs => :stale) GROUP BY w.kind
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
    f"SELECT waiting_for, count(*) AS runs, max(age) AS oldest FROM ({QUEUED}) q"
    " GROUP BY waiting_for"
)


async def engine_numbers(connection: AsyncConnection) -> EngineNumbers:
    """Return how the job engine is.

    The counts of attempts never fall while no run is deleted.
    """
    workers = (await connection.execute(_WORKERS, {"stale": DEFAULT_TIMING.stale})).all()
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
