"""Whether the workers get through what waits."""

from typing import Any

from app.core.runs.jobs import JOBS, time_limit
from app.doctor.check import Finding, check, failed, ok, warning
from app.doctor.checks import commands, workers
from app.doctor.checks.postgres import row, rows
from app.doctor.checks.words import some, span
from app.doctor.context import Context

LONG = 86_400
"""Seconds. A queue that takes longer than a day to clear grows where runs are daily."""

UNHEARD = 60
"""Seconds after which a run that is ready and is not taken, though a worker is free, has been
missed: it is rung again every 10."""

NEAR = 0.9
"""A share of an attempt's time limit."""

_NEWEST = 2_000
"""Runs that are looked at for how long one takes."""

_BACKLOG = f"""
SELECT count(*) FILTER (WHERE r.state = 'queued') AS queued,
  count(*) FILTER (WHERE r.state = 'running') AS running,
  sum(CASE r.state WHEN 'queued' THEN u.usual ELSE greatest(u.usual - r.spent, 0) END)::float8
    AS left_over,
  max(u.usual)::float8 AS longest, bool_or(u.usual IS NULL) AS unknown
FROM (SELECT task, state, extract(epoch FROM now() - attempt_started_at)::float8 AS spent
      FROM runs WHERE state IN ('queued', 'running')) r
LEFT JOIN LATERAL (
  SELECT avg(seconds) AS usual FROM (
    SELECT extract(epoch FROM finished_at - started_at)::float8 AS seconds FROM runs s
    WHERE s.task = r.task AND s.state = 'succeeded'
    AND s.id > (SELECT max(id) FROM runs) - {_NEWEST}
    ORDER BY s.id DESC LIMIT 20) latest
) u ON true
"""


@check(
    "worker.backlog",
    "what waits is soon done",
    symptom="The queue grows from day to day.",
    why="Runs that wait longer than they take grow stale before they are done.",
    needs=("worker.alive",),
)
async def backlog(context: Context) -> Finding:
    """Estimate from the last 20 runs of each kind that succeeded."""
    found = await row(context, _BACKLOG)
    if not found.queued:
        return ok(f"nothing waits, {found.running} running")
    there = len(await workers.alive(context, workers.executing(context)))
    slots = there * context.settings.arq_max_jobs
    say = f"{found.queued} waiting, {found.running} running"
    if found.unknown:
        return ok(f"{say}; how long it takes is not known yet")
    # runs are whole: one cannot be spread over several slots
    clear = max(found.left_over / slots, found.longest)
    if clear <= LONG:
        return ok(f"{say}; done in about {span(clear)}")
    return warning(
        f"{say}; that will take about {span(clear)}",
        required=f"at most {span(LONG)}",
        found=f"{slots} at a time ({there} workers x ARQ_MAX_JOBS={context.settings.arq_max_jobs}),"
        f" of up to {span(found.longest)} each",
        remedy=commands.start_worker(context),
    )


_READY = """
SELECT r.id, r.waiting_for, r.losses_in_a_row,
  extract(epoch FROM clock_timestamp() - greatest(e.at, r.not_before))::float8 AS age
FROM runs r CROSS JOIN LATERAL (SELECT max(at) AS at FROM run_events WHERE run_id = r.id) e
WHERE r.state = 'queued' ORDER BY age DESC LIMIT 20
"""


@check(
    "worker.oldest-waiting",
    "a run that is ready is taken",
    symptom="A run stays queued, though a worker is alive and free.",
    why="The worker is free and does not take the run: it listens on another queue or Redis, or its"
    " loop is stuck.",
    needs=("worker.alive",),
)
async def oldest_waiting(context: Context) -> Finding:
    """Look for runs that are ready for longer than it takes to ring them several times."""
    found = [each for each in await rows(context, _READY) if each.age >= 0]
    if not found:
        return ok("no run is ready and not taken")
    there = await workers.alive(context, workers.executing(context))
    slots = context.settings.arq_max_jobs
    oldest = found[0]
    say = f"run {oldest.id} is ready for {span(oldest.age)}"
    # a run that keeps losing its worker is given to one that does nothing else
    alone = min(each.losses_in_a_row for each in found) > 1
    free = [each for each in there if each.busy < (1 if alone else slots)]
    if not free:
        return ok(f"{say}; all {len(there)} workers are busy")
    if oldest.age < UNHEARD:
        return ok(say)
    return failed(
        f"{say} and is not taken, though a worker is free",
        required=f"taken within {UNHEARD} s",
        found=some([f"{workers.name(each)} does {each.busy} of {slots}" for each in free]),
        remedy=commands.restart(context, free[0].kind, [(each.host, each.pid) for each in free]),
    )


_RUNNING = """
SELECT id, task, extract(epoch FROM now() - attempt_started_at)::float8 AS spent,
  coalesce(progressed_at > attempt_started_at, false) AS progressed
FROM runs WHERE state = 'running' ORDER BY attempt_started_at LIMIT 200
"""


@check(
    "worker.timeout",
    "no run is near its time limit",
    symptom="A run has `timed out` among its events, or runs for hours.",
    why="At its limit an attempt is ended: a run that got somewhere goes on in another one, and one"
    " that did not has failed.",
    needs=("database.migrated",),
)
async def timeout(context: Context) -> Finding:
    """Compare the time of each attempt with its limit."""
    found = await rows(context, _RUNNING)
    limits = {each.id: time_limit(each.task, context.settings.arq_job_timeout) for each in found}
    near = [each for each in found if each.spent >= NEAR * limits[each.id]]
    if not near:
        shortest = min((limits[each.id] - each.spent for each in found), default=None)
        return ok("none is running" if shortest is None else f"{span(shortest)} left at least")
    first = near[0]
    then = "then it goes on in another attempt" if first.progressed else "then it has failed"
    return warning(
        f"run {first.id} is ended in {span(max(0, limits[first.id] - first.spent))}, {then}",
        required=f"an attempt that ends within {span(limits[first.id])}"
        f" ({_limit_is_of(first)}); a new attempt continues from what is committed",
        found=some([f"run {each.id} has run for {span(each.spent)}" for each in near]),
        remedy="\n".join(f"just cancel {each.id} && just retry {each.id}" for each in near),
    )


def _limit_is_of(run: Any) -> str:
    fixed = any(job.name == run.task and job.timeout for job in JOBS)
    return f"the limit of {run.task}" if fixed else "ARQ_JOB_TIMEOUT"


CHECKS = (backlog, oldest_waiting, timeout)
