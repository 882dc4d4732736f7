"""Who executes runs, as PostgreSQL knows it."""

from typing import Any

from app.doctor.checks.postgres import rows
from app.doctor.context import Context

_WORKERS = """
SELECT DISTINCT ON (w.session) w.id, w.kind, w.host, w.pid, w.version, w.queue,
  extract(epoch FROM clock_timestamp() - w.heartbeat_at)::float8 AS age, w.loop_lag AS lag,
  w.clock_ahead AS ahead, life.alive,
  (SELECT count(*) FROM runs r WHERE r.worker_id = w.id AND r.state = 'running') AS busy
FROM workers w JOIN worker_liveness life ON life.id = w.id AND life.holds_lock
ORDER BY w.session, w.id DESC LIMIT 200
"""

Worker = Any
"""A row: id, kind, host, pid, version, queue, runs (`busy`); in seconds, the heartbeat's `age`, the
event loop's longest `lag` of the last minute, and how far its clock is `ahead` of PostgreSQL's.
"""


async def sessions(context: Context) -> list[Worker]:
    """Return the workers whose session stands, also those that do not beat."""
    return await rows(context, _WORKERS)


async def alive(context: Context, kind: str) -> list[Worker]:
    """Return the workers of a kind (`arq` or `api`) whose session stands and whose heart beats."""
    return [each for each in await sessions(context) if each.kind == kind and each.alive]


def executing(context: Context) -> str:
    """Return the kind of workers that are to execute runs, by the settings."""
    return "arq" if context.settings.use_arq_worker else "api"


def name(worker: Worker) -> str:
    """Return how an operator finds a worker."""
    return f"worker {worker.id} (pid {worker.pid} on {worker.host})"
