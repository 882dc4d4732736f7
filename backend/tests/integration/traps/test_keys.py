"""The keys that arq keeps in Redis, for how long, and what it does with them."""

import os
import pickle
import time
from pathlib import Path
from typing import Any

import pytest
from arq.constants import (
    abort_jobs_ss,
    in_progress_key_prefix,
    job_key_prefix,
    result_key_prefix,
    retry_key_prefix,
)
from arq.jobs import DeserializationError, Job

from app.core.arq import wake_ups
from app.core.runs.ref import RunRef
from tests.plant import QUEUE

DAY = 86_400


async def nothing(ctx: dict[str, Any]) -> None:
    """A job that does nothing."""


def ref(run_id: int, epoch: int = 1) -> RunRef:
    return RunRef(run_id, epoch, "run_pipeline_task", ("ensembl",), "full")


class Touch:
    """A pickle that creates a file when it is loaded."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (f"touch '{self.path}'",)


async def test_a_pickle_is_executed_by_arq_and_refused_by_our_clients(
    plain, arq_redis, tmp_path: Path
) -> None:
    def lay(path: Path) -> bytes:
        return pickle.dumps({"t": 1, "f": Touch(path), "a": (), "k": {}, "et": 1})

    await plain.redis.set(job_key_prefix + "theirs", lay(tmp_path / "executed"))
    await Job("theirs", plain.redis).info()
    assert (tmp_path / "executed").exists()
    await arq_redis.set(job_key_prefix + "ours", lay(tmp_path / "refused"))
    with pytest.raises(DeserializationError):
        await Job("ours", arq_redis, QUEUE, arq_redis.job_deserializer).info()
    assert not (tmp_path / "refused").exists()


async def test_a_job_of_arq_expires_after_a_day_and_a_wake_up_does_not(plain, arq_redis) -> None:
    job = await plain.redis.enqueue_job("nothing")
    assert DAY - 60 < await plain.redis.ttl(job_key_prefix + job.job_id) <= DAY
    await plain.redis.delete(job_key_prefix + job.job_id)
    await plain.work_off(nothing)
    result = await job.result_info()
    assert (result.success, result.function) == (False, "<unknown>")
    await wake_ups.send(arq_redis, QUEUE, [ref(7)])
    assert await arq_redis.ttl(job_key_prefix + "7:1") == -1


async def test_arq_accepts_no_job_under_an_id_whose_result_it_keeps(plain) -> None:
    assert await plain.redis.enqueue_job("nothing", _job_id="mine") is not None
    # nor one that is queued
    assert await plain.redis.enqueue_job("nothing", _job_id="mine") is None
    await plain.work_off(nothing)
    assert await plain.redis.enqueue_job("nothing", _job_id="mine") is None


async def test_arq_aborts_a_job_that_is_enqueued_after_its_id_was_aborted(plain) -> None:
    assert not await Job("later", plain.redis).abort(timeout=1)
    job = await plain.redis.enqueue_job("nothing", _job_id="later")
    await plain.work_off(nothing, allow_abort_jobs=True)
    assert (await job.result_info()).success is False


async def test_an_unanswered_wake_up_is_replaced_when_it_is_sent_again(arq_redis) -> None:
    run = ref(7)
    await wake_ups.send(arq_redis, QUEUE, [run])
    await arq_redis.psetex(in_progress_key_prefix + run.job_id, 21_610_000, b"1")
    await arq_redis.set(retry_key_prefix + run.job_id, b"5")
    await arq_redis.set(result_key_prefix + run.job_id, b"{}")
    await arq_redis.zrem(QUEUE, run.job_id)
    assert await arq_redis.enqueue_job(run.task, "ensembl", _job_id=run.job_id) is None
    await wake_ups.send(arq_redis, QUEUE, [ref(8), ref(7)], unanswered=[ref(7)])
    # it keeps its place before the later run
    assert await arq_redis.zrange(QUEUE, 0, -1) == [b"7:1", b"8:1"]
    assert sorted(await arq_redis.keys("arq:*")) == [b"arq:job:7:1", b"arq:job:8:1"]


async def test_a_second_wake_up_leaves_the_first_one_as_it_is(arq_redis) -> None:
    await wake_ups.send(arq_redis, QUEUE, [ref(7)])
    await arq_redis.psetex(in_progress_key_prefix + "7:1", 21_610_000, b"1")
    await wake_ups.send(arq_redis, QUEUE, [ref(7)])
    assert await arq_redis.zcard(QUEUE) == 1
    assert await arq_redis.exists(in_progress_key_prefix + "7:1")


async def test_the_next_wake_up_removes_the_keys_of_the_former_attempt(arq_redis) -> None:
    await wake_ups.send(arq_redis, QUEUE, [ref(7, 1)])
    await arq_redis.psetex(in_progress_key_prefix + "7:1", 21_610_000, b"1")
    await arq_redis.set(retry_key_prefix + "7:1", b"1")
    await wake_ups.send(arq_redis, QUEUE, [ref(7, 2)])
    assert await arq_redis.zrange(QUEUE, 0, -1) == [b"7:2"]
    assert await arq_redis.keys("arq:*") == [b"arq:job:7:2"]


async def test_old_keys_in_redis_stop_no_run(plant, genes, bench, arq_redis) -> None:
    run = (await bench.request(["ensembl"])).ref
    lease, abort = in_progress_key_prefix + run.job_id, {run.job_id: int(time.time() * 1000)}
    await arq_redis.psetex(lease, 21_610_000, b"1")
    await arq_redis.set(retry_key_prefix + run.job_id, b"99")
    await arq_redis.set(result_key_prefix + run.job_id, b"{}")
    await arq_redis.zadd(abort_jobs_ss, abort)
    plant.worker()
    # a worker picked it up and died; it is sent again when it went unanswered for 10 s
    await plant.until(lambda r: r["wake_up_sent_at"] is not None)
    plant.rows("UPDATE runs SET wake_up_sent_at = wake_up_sent_at - interval '10 s'")
    assert (await plant.ended())["state"] == "succeeded"
