"""Whether bells are where workers listen, and are what workers understand."""

import json
import shlex
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from app.core.runs.jobs import JOBS
from app.doctor.check import Finding, check, failed, ok, warning
from app.doctor.checks import workers
from app.doctor.checks.commands import redis_cli, restart
from app.doctor.checks.postgres import rows
from app.doctor.checks.words import some
from app.doctor.context import Context, Unavailable

JOB = "arq:job:"
"""Where arq keeps a job (``arq/constants.py``)."""

PAGES = 20
"""Calls of SCAN, of 1,000 keys each: a Redis that others share may hold millions."""

MOST = 500
"""Entries of a queue that are looked at."""

OURS = {job.name for job in JOBS}

_UNHEARD = 20
"""Seconds after which a run that is ready, and has no bell, has lost it."""

_NOT_QUEUES = {b"arq:abort"}
"""Other sorted sets of arq (``arq/constants.py``)."""


async def scan(context: Context, match: str, kind: str | None = None) -> AsyncIterator[bytes]:
    """Give keys of Redis, of the first ones that it has."""
    from redis.exceptions import ResponseError

    cursor = 0
    for _ in range(PAGES):
        try:
            cursor, keys = await context.redis().scan(cursor, match=match, count=1_000, _type=kind)
        except ResponseError as error:
            raise Unavailable(f"Redis does not list its keys: {error}") from error
        for key in keys:
            yield key
        if not cursor:
            return


@dataclass(frozen=True, slots=True)
class Job:
    """An entry of a queue.

    Attributes:
        id: of the job.
        function: that it calls; None when it cannot be read.
        problem: why it cannot be read.
    """

    id: str
    function: str | None
    problem: str = ""


async def jobs(context: Context, queue: bytes, most: int = MOST) -> list[Job]:
    """Return the first jobs of a queue; members without a job are left out."""
    redis = context.redis()
    # commands that a worker may use as well (deploy/redis/users.acl)
    ids = await redis.zrangebyscore(queue, "-inf", "+inf", start=0, num=most)
    if not ids:
        return []
    texts = [each.decode(errors="replace") for each in ids]
    async with redis.pipeline(transaction=False) as pipe:
        for each in ids:
            pipe.get(JOB.encode() + each)
        found = await pipe.execute()
    return [_job(id_, raw) for id_, raw in zip(texts, found, strict=True) if raw is not None]


def _job(id_: str, raw: bytes) -> Job:
    try:
        said = json.loads(raw)
    except ValueError:
        # a pickle names its function in plain letters
        named = next((name for name in OURS if name.encode() in raw), None)
        return Job(id_, named, "it is no JSON" + (", but a pickle" if raw[:1] == b"\x80" else ""))
    function = said.get("f") if isinstance(said, dict) else None
    if not isinstance(function, str):
        return Job(id_, None, "it names no function")
    return Job(id_, function)


@check(
    "worker.queue-name",
    "the API, the workers and the jobs have one queue",
    symptom="Jobs of arq clients are never picked up, and runs start some seconds late.",
    why="ARQ_QUEUE_NAME differs between the API and the workers: bells and jobs of clients are put"
    " where nobody listens. Runs are taken all the same, as a living worker rings for them itself.",
    needs=("redis.reachable", "database.migrated"),
)
async def queue_name(context: Context) -> Finding:
    """Ask the workers, and look for jobs of arq in the other sorted sets."""
    mine = context.settings.arq_queue_name
    listening = await workers.alive(context, "arq")
    if elsewhere := [each for each in listening if each.queue not in {None, mine}]:
        return failed(
            f"{len(elsewhere)} workers listen to another queue",
            required=f"ARQ_QUEUE_NAME={mine}, as here",
            found=some([f"{workers.name(each)}: {each.queue}" for each in elsewhere]),
            remedy=restart(context, "arq", [(each.host, each.pid) for each in elsewhere]),
        )
    ours: list[str] = []
    theirs: list[str] = []
    async for key in scan(context, "*", "zset"):
        if key == mine.encode() or key in _NOT_QUEUES:
            continue
        found = await jobs(context, key, most=20)
        if found:
            queue = key.decode(errors="replace")
            (ours if any(each.function in OURS for each in found) else theirs).append(queue)
    if ours:
        return failed(
            f"jobs of ours wait in another queue: {some(ours)}",
            required=f"ARQ_QUEUE_NAME={mine} for the API, the workers and all clients",
            found=f"queue {ours[0]} holds calls of {' or '.join(sorted(OURS))}",
            remedy=f"ARQ_QUEUE_NAME={shlex.quote(ours[0])} just worker",
        )
    if theirs:
        return ok(f"{mine}; other programs' queues hold jobs: {some(theirs)}")
    return ok(f"{mine}, and no other queue holds jobs")


@check(
    "worker.functions",
    "workers know every job in the queue",
    symptom="A client's job is gone, and no run came of it.",
    why="A worker removes a job whose function it does not know, or that it cannot read, and logs"
    " it: what a client asked for is never done.",
    needs=("redis.reachable",),
)
async def functions(context: Context) -> Finding:
    """Look at the first jobs of the queue."""
    queue = context.settings.arq_queue_name
    found = await _own_jobs(context)
    bad = [each for each in found if each.problem or each.function not in OURS]
    if not bad:
        return ok(f"{len(found)} jobs, all known" if found else "the queue is empty")
    return failed(
        f"{len(bad)} jobs in the queue will be dropped",
        required=f"{' or '.join(sorted(OURS))}, in JSON (job_serializer=json.dumps)",
        found=some([f"{each.id}: {each.problem or f'function {each.function}'}" for each in bad]),
        remedy=redis_cli(context, "ZREM", queue, *(each.id for each in bad)),
    )


async def _own_jobs(context: Context) -> list[Job]:
    from redis.exceptions import ResponseError

    queue = context.settings.arq_queue_name
    try:
        return await jobs(context, queue.encode())
    except ResponseError as error:
        raise Unavailable(f"{queue} cannot be read: {error}") from error


_LOST = f"""
SELECT id, epoch, task, sources, mode FROM runs JOIN ready_runs USING (id)
WHERE (SELECT max(at) FROM run_events WHERE run_id = runs.id)
  < clock_timestamp() - make_interval(secs => {_UNHEARD})
AND (not_before IS NULL OR not_before < clock_timestamp() - make_interval(secs => {_UNHEARD}))
ORDER BY created_at, id LIMIT 200
"""


async def _lost(context: Context) -> list[Any]:
    """Return queued runs that are ready and have no bell in the queue."""
    from redis.exceptions import ResponseError

    ready = await rows(context, _LOST)
    if not ready:
        return []
    queue = context.settings.arq_queue_name
    async with context.redis().pipeline(transaction=False) as pipe:
        for each in ready:
            pipe.zscore(queue, f"{each.id}:{each.epoch}")
        try:
            scores = await pipe.execute()
        except ResponseError as error:
            raise Unavailable(f"{queue} cannot be read: {error}") from error
    return [each for each, score in zip(ready, scores, strict=True) if score is None]


async def ring(context: Context) -> str | None:
    """Ring for the runs whose bell was lost; ringing twice is harmless."""
    from app.core.arq.client import connect
    from app.core.arq.wake_ups import send
    from app.core.runs.ref import RunRef

    lost = await _lost(context)
    if not lost:
        return None
    queue = context.settings.arq_queue_name
    redis = connect(context.settings.redis_url.get_secret_value(), queue)
    try:
        ready = [RunRef.of(each) for each in lost]
        await send(redis, queue, ready, unanswered=ready)
    finally:
        await redis.aclose(close_connection_pool=True)
    return f"rang for run {', '.join(str(each.id) for each in lost)}"


@check(
    "worker.bells",
    "every run that is ready has its bell in the queue",
    symptom="A run stays queued after Redis was wiped.",
    why="No worker hears of a run without a bell. A living worker rings it again within 10 s; where"
    " none lives, nobody does.",
    needs=("redis.reachable", "database.migrated"),
    remedy="just doctor --fix --only worker.bells",
    fix=ring,
)
async def bells(context: Context) -> Finding:
    """Compare the runs in PostgreSQL with the queue in Redis."""
    lost = await _lost(context)
    if not lost:
        return ok("none is missing")
    return warning(
        f"{len(lost)} runs are ready and have no bell",
        required="an entry for each in the queue",
        found=f"none for run {some([str(each.id) for each in lost])}",
    )


CHECKS = (queue_name, functions, bells)
