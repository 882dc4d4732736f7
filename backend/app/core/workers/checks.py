"""The checks of the workers: they are alive, configured alike, and execute what is ready."""

import asyncio
import shlex
import socket
from pathlib import Path

from app.core.checks import Check, Context, Finding, check, failed, ok, warning
from app.core.errors import EDIT_SETTINGS
from app.core.text.words import some, time_span
from app.core.workers import connection_checks, processes
from app.core.workers.timing import DEFAULT_TIMING

LATE_AFTER = 3.0
"""Seconds. A worker sends a heartbeat every second."""

MAX_LOOP_LAG = 1.0
"""Seconds. Long computations run in other processes, not on the event loop."""

MAX_CLOCK_SKEW = 2.0
"""Seconds. The check warns if a worker's clock and PostgreSQL's clock differ by this much."""

CLAIM_OVERDUE_AFTER = 60
"""Seconds within which a free worker should claim a ready run. Wake-ups are resent every 10 s."""


@check(
    "worker.alive",
    "a worker is alive",
    symptom="Runs stay queued, and the status says `no worker is alive`.",
    why="Only a living worker executes runs.",
    needs=("database.migrated",),
)
async def alive(context: Context) -> Finding:
    """List the workers that are alive, of the kind that executes runs."""
    kind = processes.executing(context)
    found = await processes.list_alive(context, kind)
    if found:
        return ok(f"{len(found)} alive: {some([processes.name(worker) for worker in found], 3)}")
    return failed(
        "no worker is alive" if kind == "arq" else "no API is alive, which executes the runs",
        required="a process that holds its lock in PostgreSQL and sends heartbeats",
        found=f"none, and USE_ARQ_WORKER is {context.settings.use_arq_worker}",
        remedy=processes.start(context, kind),
    )


@check(
    "worker.mode",
    "only the processes that USE_ARQ_WORKER names execute runs",
    symptom="The API executes runs although workers are alive, or workers get no runs.",
    why="If the API and the workers have different values of USE_ARQ_WORKER, either both execute"
    " runs, each with request budgets of its own, or the API sends no wake-ups to the workers.",
    needs=("worker.alive",),
)
async def mode(context: Context) -> Finding:
    """Compare the setting with the kinds of workers that are alive."""
    other = {"arq": "api", "api": "arq"}[processes.executing(context)]
    found = await processes.list_alive(context, other)
    setting = f"USE_ARQ_WORKER={context.settings.use_arq_worker}"
    if not found:
        return ok(f"{setting}, and only such processes are alive")
    names = some([processes.name(worker) for worker in found])
    if other == "api":
        return warning(
            "an API executes runs although arq workers are alive",
            required=f"{setting} for the API too",
            found=names,
            remedy=processes.restart(context, found),
        )
    return warning(
        "arq workers are alive, and this API sends them no wake-ups",
        required="USE_ARQ_WORKER=True if there are arq workers",
        found=f"{setting}; {names}",
        remedy=EDIT_SETTINGS,
    )


@check(
    "worker.queue-name",
    "the API and the workers have the same queue",
    symptom="Jobs of arq clients stay in the queue, and runs start some seconds late.",
    why="If ARQ_QUEUE_NAME differs, wake-ups and jobs go to a queue that no worker reads. Runs"
    " start nevertheless, because each worker also sends wake-ups to its own queue.",
    needs=("database.migrated",),
)
async def queue_name(context: Context) -> Finding:
    """Compare the queue of each worker with the setting."""
    queue = context.settings.arq_queue_name
    found = await processes.list_alive(context, "arq")
    elsewhere = [worker for worker in found if worker.queue not in {None, queue}]
    if not elsewhere:
        workers = "worker reads" if len(found) == 1 else "workers read"
        return ok(f"{len(found)} arq {workers} {queue}")
    return failed(
        f"{len(elsewhere)} workers read another queue",
        required=f"ARQ_QUEUE_NAME={queue}, as here",
        found=some([f"{processes.name(worker)}: {worker.queue}" for worker in elsewhere]),
        remedy=processes.restart(context, elsewhere),
    )


@check(
    "worker.heartbeat",
    "heartbeats and event loops of the workers are on time",
    symptom="The runs of a worker stop for seconds at a time, or its last heartbeat is many"
    " seconds old.",
    why="A worker whose process is stopped, or whose event loop is blocked, makes no progress."
    f" After {DEFAULT_TIMING.stale:.0f} s without a heartbeat, other workers take over its runs.",
    needs=("database.migrated",),
)
async def heartbeat(context: Context) -> Finding:
    """Compare the ages of the heartbeats and the lags of the event loops with their limits."""
    found = await processes.sessions(context)
    late = sorted(
        (worker for worker in found if worker.age > LATE_AFTER), key=lambda worker: -worker.age
    )
    slow = sorted(
        (worker for worker in found if worker.lag > MAX_LOOP_LAG), key=lambda worker: -worker.lag
    )
    if late:
        frozen = late[0].frozen
        here = socket.gethostname()
        stopped = [str(e.pid) for e in late if e.host == here and _is_stopped(e.pid)]
        report = failed if frozen else warning
        return report(
            f"{processes.name(late[0])} has sent no heartbeat for {time_span(late[0].age)}"
            + (", so it counts as dead" if frozen else ""),
            required=f"a heartbeat that is at most {LATE_AFTER:.0f} s old",
            found=some([f"{processes.name(worker)} {time_span(worker.age)}" for worker in late])
            + ("; the process is stopped (SIGSTOP)" if stopped else ""),
            remedy=f"kill -CONT {' '.join(stopped)}"
            if stopped
            else processes.restart(context, late),
        )
    if slow:
        return warning(
            f"the event loop of {processes.name(slow[0])} was blocked for {time_span(slow[0].lag)}",
            required=f"at most {time_span(MAX_LOOP_LAG)}: a machine with enough processor time, and"
            " no computation on the event loop",
            found=some([f"{processes.name(worker)} {time_span(worker.lag)}" for worker in slow]),
            remedy=processes.restart(context, slow),
        )
    if not found:
        return ok("no worker")
    age, lag = max(worker.age for worker in found), max(worker.lag for worker in found)
    return ok(
        f"oldest heartbeat {time_span(age)}, longest delay of an event loop {lag * 1000:.0f} ms"
    )


def _is_stopped(pid: int) -> bool:
    """Return whether a signal or a debugger has stopped a process (proc(5), /proc/pid/stat)."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] in {"T", "t"}


@check(
    "worker.version",
    "the workers run this version",
    symptom="A worker behaves as it did before the upgrade.",
    why="A worker runs the old code until it is restarted.",
    needs=("database.migrated",),
)
async def version(context: Context) -> Finding:
    """Compare the version that each worker has registered with this checkout."""
    from app.core.process.version import version as version_of_code

    found = await processes.sessions(context)
    installed = await asyncio.to_thread(version_of_code)
    old = [worker for worker in found if worker.version != installed]
    if not old:
        return ok(f"all {len(found)} run {installed}" if found else "no worker")
    return warning(
        f"{len(old)} of {len(found)} workers run another version than this checkout",
        required=installed,
        found=some([f"{processes.name(worker)} {worker.version}" for worker in old]),
        remedy=processes.restart(context, old),
    )


@check(
    "worker.clock",
    "the clocks of the workers agree with PostgreSQL",
    symptom="The times in the logs of different hosts do not match.",
    why="Runs follow only PostgreSQL's clock. But the logs of different hosts cannot be compared,"
    " bulk files seem older or newer than they are, and deferred jobs of clients start at the"
    " wrong time.",
    needs=("database.migrated",),
)
async def clock(context: Context) -> Finding:
    """Compare the clock differences that the workers measured with the limit."""
    found = [worker for worker in await processes.sessions(context) if worker.ahead is not None]
    wrong = sorted(
        (worker for worker in found if abs(worker.ahead) >= MAX_CLOCK_SKEW),
        key=lambda e: -abs(e.ahead),
    )
    if not wrong:
        largest = max((abs(worker.ahead) for worker in found), default=0.0)
        return ok(f"at most {largest * 1000:.0f} ms apart" if found else "no worker")
    here = socket.gethostname()
    return warning(
        f"the clock of {processes.name(wrong[0])} is {_apart(wrong[0].ahead)} PostgreSQL's clock",
        required=f"a difference of less than {MAX_CLOCK_SKEW:.0f} s",
        found=some([f"{processes.name(worker)} {_apart(worker.ahead)}" for worker in wrong])
        + "; if all differ by the same amount, PostgreSQL's clock may be wrong",
        remedy="\n".join(
            ("" if host == here else f"ssh {shlex.quote(host)} ") + "sudo timedatectl set-ntp true"
            for host in sorted({worker.host for worker in wrong})
        ),
    )


def _apart(ahead: float) -> str:
    return f"{time_span(abs(ahead))} {'ahead of' if ahead > 0 else 'behind'}"


_READY = """
    SELECT r.id, r.losses_in_a_row,
      extract(epoch FROM clock_timestamp() - greatest(e.at, r.not_before))::float8 AS age
    FROM ready_runs JOIN runs r USING (id) CROSS JOIN LATERAL
      (SELECT max(at) AS at FROM run_events WHERE run_id = r.id) e
    ORDER BY age DESC LIMIT 20
"""


@check(
    "worker.oldest-waiting",
    "free workers claim the runs that are ready",
    symptom="A run stays queued although a worker is alive and free.",
    why="The worker does not claim the run: it uses another Redis or another queue, or its event"
    " loop is blocked.",
    needs=("worker.alive",),
)
async def oldest_waiting(context: Context) -> Finding:
    """Find runs that no free worker has claimed although several wake-ups were sent."""
    from sqlalchemy import text

    found = [run for run in await context.rows(text(_READY)) if run.age >= 0]
    if not found:
        return ok("no run waits for a worker")
    workers = await processes.list_alive(context, processes.executing(context))
    summary = f"run {found[0].id} has been ready for {time_span(found[0].age)}"
    # a run that keeps losing its worker is given to a worker that executes nothing else
    alone = min(run.losses_in_a_row for run in found) > 1
    slots = {
        worker.id: 1 if alone else worker.slots or context.settings.arq_max_jobs
        for worker in workers
    }
    free = [worker for worker in workers if worker.busy < slots[worker.id]]
    if not free:
        return ok(f"{summary}; all {len(workers)} workers are busy")
    if found[0].age < CLAIM_OVERDUE_AFTER:
        return ok(summary)
    return failed(
        f"{summary}, and no worker claims it although one is free",
        required=f"a claim within {CLAIM_OVERDUE_AFTER} s",
        found=some(
            [
                f"{processes.name(worker)} executes {worker.busy} of {slots[worker.id]} runs"
                for worker in free
            ]
        ),
        remedy=processes.restart(context, free),
    )


CHECKS: tuple[Check, ...] = (
    alive,
    mode,
    queue_name,
    heartbeat,
    version,
    clock,
    oldest_waiting,
    *connection_checks.CHECKS,
)
