"""Statistics of the job engine for the metrics, from read-only queries."""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.runs.totals import EventTotals, SourceTotals, event_totals, source_totals


@dataclass(frozen=True, slots=True)
class RunStatistics:
    """Statistics of the runs in one state.

    Attributes:
        runs: the number of runs.
        age: the longest time since the first start of a run, in seconds.
        idle: the longest time that a run has been without progress, in seconds. It counts from the
            latest progress or from the start of the attempt, whichever is later.
    """

    runs: int
    age: float | None
    idle: float | None


@dataclass(frozen=True, slots=True)
class EngineStatistics:
    """Statistics of the workers and the runs.

    Attributes:
        workers: the number of workers that are alive, by kind.
        runs: the statistics by state. A state without runs has no entry.
        waiting: the number of queued runs that wait for something other than a free worker, by what
            they wait for.
        oldest_waiting: the age of the oldest queued run, in seconds.
        events: the events of all runs, including runs that were removed.
        sources: the totals over all runs, by source.
    """

    workers: dict[str, int]
    runs: dict[str, RunStatistics]
    waiting: dict[str, int]
    oldest_waiting: float
    events: EventTotals
    sources: dict[str, SourceTotals]


# after it has reconnected, a worker may have two ids for a while
_WORKERS = text(
    """
    SELECT w.kind, count(DISTINCT w.session) AS alive
    FROM workers w JOIN worker_liveness life ON life.id = w.id AND life.alive GROUP BY w.kind
    """
)

_RUNS = text(
    """
    SELECT state, count(*) AS runs,
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


async def engine_statistics(connection: AsyncConnection) -> EngineStatistics:
    """Return the statistics of the job engine."""
    workers = (await connection.execute(_WORKERS)).all()
    runs = (await connection.execute(_RUNS)).mappings().all()
    waiting = (await connection.execute(_WAITING)).all()
    return EngineStatistics(
        workers={row.kind: row.alive for row in workers},
        runs={
            row["state"]: RunStatistics(**{k: v for k, v in row.items() if k != "state"})
            for row in runs
        },
        waiting={row.waiting_for: row.runs for row in waiting if row.waiting_for is not None},
        oldest_waiting=max((row.oldest or 0.0 for row in waiting), default=0.0),
        events=await event_totals(connection),
        sources=await source_totals(connection),
    )
