"""Finds out whether workers execute runs, for the incidents and for the ping."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

UNCLAIMED_AFTER = 900.0
"""Seconds. A run that is ready for longer while a worker is idle counts as unclaimed. Usually a
claim takes about a second."""

_STATE = text(
    """
    WITH living AS (
      SELECT w.session, count(r.id) AS busy
      FROM workers w JOIN worker_liveness life ON life.id = w.id AND life.alive
        LEFT JOIN runs r ON r.worker_id = w.id AND r.state = 'running'
      GROUP BY w.session
    ), oldest AS (
      SELECT r.id, greatest(e.at, r.not_before) AS since
      FROM runs r JOIN ready_runs USING (id) CROSS JOIN LATERAL
        (SELECT max(at) AS at FROM run_events WHERE run_id = r.id) e
      ORDER BY 2 LIMIT 1
    )
    SELECT clock_timestamp() AS now, (SELECT count(*) FROM living) AS living,
      EXISTS (SELECT FROM living WHERE busy = 0) AS idle,
      (SELECT max(greatest(started_at, heartbeat_at)) FROM workers) AS last_seen,
      (SELECT count(*) FROM runs WHERE state = 'queued') AS queued,
      (SELECT id FROM oldest) AS run, (SELECT since FROM oldest) AS since
    """
)


@dataclass(frozen=True, slots=True)
class Execution:
    """The workers that are alive, and the runs that wait for them.

    Attributes:
        now: PostgreSQL's time.
        living: the number of workers that are alive.
        idle: whether one of these workers executes no run.
        last_seen: when a worker was last seen alive; None if none was ever started.
        queued: the number of runs that are queued.
        run: the run that has been ready for the longest time; None if none is ready.
        since: when that run became ready.
    """

    now: datetime
    living: int
    idle: bool
    last_seen: datetime | None
    queued: int
    run: int | None
    since: datetime | None

    @property
    def unclaimed_since(self) -> datetime | None:
        """When the oldest unclaimed run became ready; None if there is no such run."""
        if not self.idle or self.since is None:
            return None
        return self.since if self.seconds_since(self.since) >= UNCLAIMED_AFTER else None

    def seconds_since(self, at: datetime) -> float:
        """Return the seconds from a moment until now."""
        return (self.now - at).total_seconds()


async def read_execution(connection: AsyncConnection) -> Execution:
    """Read the state of the workers and the queue."""
    return Execution(**(await connection.execute(_STATE)).mappings().one())
