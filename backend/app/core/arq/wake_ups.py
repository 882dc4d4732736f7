"""The Redis side of a bell: an arq job whose id is ``{run id}:{epoch}``, as JSON."""

import json
import re
from typing import Annotated, Any

import msgspec
from arq.connections import ArqRedis
from arq.constants import (
    in_progress_key_prefix,
    job_key_prefix,
    result_key_prefix,
    retry_key_prefix,
)
from arq.jobs import serialize_job

from app.core.runs.transitions import Bell

_ID = re.compile(r"([1-9][0-9]{0,17}):([1-9][0-9]{0,8})")


class _Job(msgspec.Struct):
    """What arq 0.28 puts under a job's key (``arq/jobs.py``, ``serialize_job``)."""

    t: Annotated[int, msgspec.Meta(ge=0, le=10**9)] | None
    f: str
    a: list[Any]
    k: dict[str, Any]
    # arq makes a date of it, outside of what it guards (``arq/worker.py``, ``run_job``)
    et: Annotated[int, msgspec.Meta(ge=0, le=250_000_000_000_000)]


def dump(value: dict[str, Any]) -> bytes:
    """Serialize for arq. What is no JSON, like an exception in a result, becomes its text."""
    return json.dumps(value, default=str).encode()


def load(raw: bytes) -> dict[str, Any]:
    """Read a job that arq is to run.

    Raises:
        msgspec.ValidationError: what lies in the queue is no job in JSON, a pickle for example.
    """
    return msgspec.structs.asdict(msgspec.json.decode(raw, type=_Job))


def parse_id(job_id: str) -> tuple[int, int] | None:
    """Return run id and epoch, or None when the job is no bell but a client's own."""
    match = _ID.fullmatch(job_id)
    return None if match is None else (int(match[1]), int(match[2]))


async def ring(redis: ArqRedis, queue: str, bells: list[Bell]) -> None:
    """Put bells into the queue, unless they are there.

    The job has no expiry, as a run waits as long as it must. Its score is when the run was
    created, so that one that is rung again does not go to the end of the queue: in seconds, which
    puts it before every score in arq's milliseconds and so into the past of every clock. One that
    nobody answered is put in place of what is left of it, as arq refuses an id whose keys still
    stand; and so are the keys of the former attempt removed. All of it is one MULTI.
    """
    async with redis.pipeline(transaction=True) as pipe:
        for bell in bells:
            old = f"{bell.run_id}:{bell.epoch - 1}"
            for job_id in (old, bell.id) if bell.again else (old,):
                pipe.delete(
                    job_key_prefix + job_id,
                    in_progress_key_prefix + job_id,
                    retry_key_prefix + job_id,
                    result_key_prefix + job_id,
                )
            pipe.zrem(queue, old)
            created_at = bell.created_at.timestamp()
            args: tuple[Any, ...] = (bell.sources,)
            if bell.sources is not None and len(bell.sources) == 1:
                args = bell.sources
            milliseconds = int(created_at * 1000)
            job = serialize_job(
                bell.task, args, {"mode": bell.mode}, None, milliseconds, serializer=dump
            )
            pipe.set(job_key_prefix + bell.id, job, nx=True)
            pipe.zadd(queue, {bell.id: created_at})
        await pipe.execute()
