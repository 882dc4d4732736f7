"""A wake-up in Redis: an arq job, in JSON, whose id is ``{run id}:{epoch}``."""

import json
import re
from collections.abc import Collection, Sequence
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
from arq.utils import timestamp_ms

from app.core.runs.ref import RunRef

_ID = re.compile(r"([1-9][0-9]{0,17}):([1-9][0-9]{0,8})")


class _Job(msgspec.Struct):
    """The value of a job's key in arq 0.28 (``arq/jobs.py``, ``serialize_job``).

    The fields have arq's names.
    """

    t: Annotated[int, msgspec.Meta(ge=0, le=10**9)] | None
    f: str
    a: list[Any]
    k: dict[str, Any]
    # bounded, because arq converts it to a date and catches no error there (``arq/worker.py``,
    # ``run_job``)
    et: Annotated[int, msgspec.Meta(ge=0, le=250_000_000_000_000)]


def dump(value: dict[str, Any]) -> bytes:
    """Serialize a value for arq; values without a JSON form, such as exceptions, become text."""
    return json.dumps(value, default=str).encode()


def load(raw: bytes) -> dict[str, Any]:
    """Decode a job.

    Raises:
        msgspec.ValidationError: the value is not a job in JSON, but a pickle for example.
    """
    return msgspec.structs.asdict(msgspec.json.decode(raw, type=_Job))


def parse_id(job_id: str) -> tuple[int, int] | None:
    """Return the run id and the epoch of a wake-up; None for the job of a client."""
    match = _ID.fullmatch(job_id)
    return None if match is None else (int(match[1]), int(match[2]))


async def send(
    redis: ArqRedis, queue: str, ready: Sequence[RunRef], *, unanswered: Collection[RunRef] = ()
) -> None:
    """Add a wake-up for each run to the queue, in one MULTI.

    The job does not expire, because a run may wait for days. Its score is the run's id, so a
    resent wake-up keeps its place in the queue. arq's own scores are milliseconds since 1970, so
    wake-ups precede all of them and lie in the past by every clock.

    arq refuses a job id whose keys still exist. So this function removes the keys of unanswered
    wake-ups and of the former attempt.

    Args:
        redis: a client of arq.
        queue: the Redis key of the queue.
        ready: queued runs.
        unanswered: the runs among these whose former wake-up went unanswered.

    Raises:
        redis.exceptions.RedisError, OSError: Redis cannot be reached, or refuses the commands.
    """
    async with redis.pipeline(transaction=True) as pipe:
        for ref in ready:
            former = f"{ref.run_id}:{ref.epoch - 1}"
            for job_id in (former, ref.job_id) if ref in unanswered else (former,):
                pipe.delete(
                    job_key_prefix + job_id,
                    in_progress_key_prefix + job_id,
                    retry_key_prefix + job_id,
                    result_key_prefix + job_id,
                )
            pipe.zrem(queue, former)
            one = ref.sources is not None and len(ref.sources) == 1
            arguments: tuple[Any, ...] = ref.sources if one and ref.sources else (ref.sources,)
            job = serialize_job(
                ref.task, arguments, {"mode": ref.mode}, None, timestamp_ms(), serializer=dump
            )
            pipe.set(job_key_prefix + ref.job_id, job, nx=True)
            pipe.zadd(queue, {ref.job_id: ref.run_id})
        await pipe.execute()
