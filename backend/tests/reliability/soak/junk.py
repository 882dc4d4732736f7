"""What may lie in the queue and is no job of ours."""

import json
import os
import pickle
from pathlib import Path

from arq.connections import ArqRedis
from arq.constants import job_key_prefix

from tests.plant import QUEUE


class Touch:
    """A pickle that creates a file when it is loaded."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (f"touch {self.path}",)


def _job(function: str, *arguments: object) -> bytes:
    return json.dumps({"t": None, "f": function, "a": arguments, "k": {}, "et": 1}).encode()


async def put(redis: ArqRedis, trace: Path, wake_up: str) -> None:
    """Put a pickle, bytes, wrong types, an unknown function and an old wake-up into the queue.

    Args:
        redis: the Redis server of the queue.
        trace: the file that the pickle creates when it is executed.
        wake_up: the id of an outdated wake-up.
    """
    async with redis.pipeline(transaction=True) as pipe:
        for job_id, value in (
            ("pickle", pickle.dumps({"t": 1, "f": Touch(trace), "a": (), "k": {}, "et": 1})),
            ("bytes", b"\x80\xff\x00junk"),
            ("types", b'{"t": "x", "f": 1, "a": {}, "k": [], "et": null}'),
            ("unknown", _job("os.system", "ensembl")),
            ("nonsense", _job("run_pipeline_task", 1, "no such mode")),
            (wake_up, _job("run_pipeline_task", "ensembl")),
        ):
            pipe.set(job_key_prefix + job_id, value)
            pipe.zadd(QUEUE, {job_id: 1})
        pipe.delete(f"{job_key_prefix}list")
        pipe.lpush(f"{job_key_prefix}list", "a list where a job should be")
        pipe.zadd(QUEUE, {"list": 1})
        pipe.zadd(QUEUE, {b"\xff\xfe": 1})
        await pipe.execute()
