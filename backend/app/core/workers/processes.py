"""Reads the workers for the checks, and builds the commands that start and restart them."""

import shlex
import socket
from collections.abc import Sequence
from typing import Any

from app.core.checks import Context, Remedy
from app.core.errors import START_API, START_WORKER, Step

_UNITS = {"arq": "kidney-genetics-worker", "api": "kidney-genetics-api"}

Worker = Any
"""A row of the query below. `age` is the age of the heartbeat in seconds, `busy` the number of
running runs, `lag` the maximum lag of the event loop in the last minute in seconds, and `ahead` the
seconds by which the worker's clock is ahead of PostgreSQL's."""

_WORKERS = """
    SELECT DISTINCT ON (w.session) w.id, w.kind, w.host, w.pid, w.version, w.queue, w.slots,
      extract(epoch FROM clock_timestamp() - w.heartbeat_at)::float8 AS age, w.loop_lag AS lag,
      w.clock_ahead AS ahead, life.alive, life.frozen,
      (SELECT count(*) FROM runs r WHERE r.worker_id = w.id AND r.state = 'running') AS busy
    FROM workers w JOIN worker_liveness life ON life.id = w.id AND life.holds_lock
    ORDER BY w.session, w.id DESC LIMIT 200
"""


async def sessions(context: Context) -> Sequence[Worker]:
    """Return the workers that hold their lock, including frozen ones without a heartbeat."""
    from sqlalchemy import text

    return await context.rows(text(_WORKERS))


async def list_alive(context: Context, kind: str) -> list[Worker]:
    """Return the workers of a kind that are alive."""
    return [worker for worker in await sessions(context) if worker.kind == kind and worker.alive]


def executing(context: Context) -> str:
    """Return the kind of worker that executes runs according to the settings."""
    return "arq" if context.settings.use_arq_worker else "api"


def name(worker: Worker) -> str:
    """Return a description by which an operator can find a worker."""
    return f"worker {worker.id} (pid {worker.pid} on {worker.host})"


def start(context: Context, kind: str) -> str | Step:
    """Return the command or step that starts a worker of a kind on this host."""
    if (context.units / f"{_UNITS[kind]}.service").exists():
        return f"sudo systemctl start {_UNITS[kind]}"
    return START_WORKER if kind == "arq" else START_API


def restart(context: Context, workers: Sequence[Worker]) -> Remedy:
    """Return the commands that restart workers of one kind. Their runs go back to the queue."""
    kind, here = workers[0].kind, socket.gethostname()
    every = f"'{_UNITS[kind]}*'"
    hosts = sorted({worker.host for worker in workers} - {here})
    lines: list[str | Step] = []
    if pids := [str(worker.pid) for worker in workers if worker.host == here]:
        if (context.units / f"{_UNITS[kind]}.service").exists():
            lines = [f"sudo systemctl restart {every}"]
        else:
            lines = [f"kill {' '.join(pids)}", start(context, kind)]
    remote = [f'ssh {shlex.quote(host)} sudo systemctl restart "{every}"' for host in hosts]
    return (*lines, *remote)
