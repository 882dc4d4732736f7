"""What arq's worker receives from a queue that holds all kinds of members."""

import asyncio
import json
import logging
from functools import partial
from typing import Any

import pytest
from arq.connections import ArqRedis
from arq.constants import in_progress_key_prefix, job_key_prefix
from arq.utils import timestamp_ms
from psycopg.errors import QueryCanceled
from sqlalchemy.exc import OperationalError

from app.annotation.refresh.requests import request_run
from app.annotation.sources import SOURCES
from app.core.arq import job_queue, wake_ups
from app.core.arq.client import WorkerRedis
from app.core.arq.client_jobs import ClientJobs
from app.core.arq.dispatcher import ArqDispatcher
from app.core.runs.actors import CLIENT_OF_ARQ
from app.core.runs.ref import RunRef
from harness.timing import WAIT, limit, scaled
from tests.integration.conftest import Bench, Query
from tests.plant import QUEUE, Plant

HOUR = 3_600_000


@pytest.fixture
def client_jobs(worker_redis: WorkerRedis, arq_redis: ArqRedis, bench: Bench, genes: None) -> None:
    """The worker handles the jobs of clients; there are genes in the database."""
    request = partial(
        request_run,
        bench.db,
        ArqDispatcher(arq_redis, QUEUE),
        enabled=list(SOURCES),
        actor=CLIENT_OF_ARQ,
    )
    worker_redis.queue.client_jobs = ClientJobs(bench.db, request)


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """One poll cleans the whole queue, also on a busy machine."""
    monkeypatch.setattr(job_queue, "SCAN_SECONDS", scaled(WAIT))


async def offered(redis: WorkerRedis) -> list[bytes]:
    """What arq receives when it polls (``arq/worker.py``, ``_poll_iteration``)."""
    found: list[bytes] = await redis.zrangebyscore(
        QUEUE, min=float("-inf"), start=0, num=100, max=now()
    )
    return found


def now() -> int:
    return timestamp_ms()


REF = RunRef(7, 1, "run_pipeline_task", ("ensembl",), "full")


def job(function: str = "run_pipeline_task", *arguments: object, et: int = 1, **named: Any) -> str:
    return json.dumps({"t": None, "f": function, "a": arguments, "k": named, "et": et})


async def put(redis: ArqRedis, scores: dict[str, float], content: str | None) -> None:
    """Put members into the queue, each with this job."""
    async with redis.pipeline(transaction=True) as pipe:
        for member in scores:
            if content is not None:
                pipe.set(job_key_prefix + member, content)
        pipe.zadd(QUEUE, scores)
        await pipe.execute()


@pytest.mark.parametrize("score", [0, 1, -5, float("-inf")])
@pytest.mark.parametrize("content", [None, "junk", job("os.system", "true")])
async def test_100_members_that_are_not_jobs_are_removed_and_hide_no_wake_up(
    worker_redis: WorkerRedis, arq_redis: ArqRedis, score: float, content: str | None
) -> None:
    await put(arq_redis, {f"member {n}": score for n in range(100)}, content)
    await wake_ups.send(arq_redis, QUEUE, [REF])
    assert await offered(worker_redis) == [b"7:1"]
    assert await arq_redis.zrange(QUEUE, 0, -1) == [b"7:1"]
    assert await arq_redis.keys("arq:*") == [b"arq:job:7:1"]


async def test_100_jobs_in_progress_elsewhere_hide_no_wake_up(
    worker_redis: WorkerRedis, arq_redis: ArqRedis
) -> None:
    running = {f"{run_id}:1": run_id for run_id in range(100, 200)}
    await put(arq_redis, running, job())
    for member in running:
        await arq_redis.set(in_progress_key_prefix + member, "1")
    await wake_ups.send(arq_redis, QUEUE, [REF])
    assert await offered(worker_redis) == [b"7:1"]
    assert await arq_redis.zcard(QUEUE) == 101


async def test_members_that_are_not_jobs_are_removed_in_bulk_and_logged_once(
    worker_redis: WorkerRedis, arq_redis: ArqRedis, caplog: pytest.LogCaptureFixture
) -> None:
    for start in range(0, 5_000, 1_000):
        await put(arq_redis, {f"{start + n} of 5000": 1 for n in range(1_000)}, None)
    await put(arq_redis, {"a pickle's": 1}, "\x80")
    await wake_ups.send(arq_redis, QUEUE, [REF])
    with caplog.at_level(logging.WARNING):
        assert await offered(worker_redis) == [b"7:1"]
        await put(arq_redis, {"late": 1}, None)
        assert await offered(worker_redis) == [b"7:1"]
    (line,) = caplog.messages
    assert "removed 5001 members" in line
    assert "it has no job" in line
    assert "cannot be read" in line
    assert await arq_redis.zcard(QUEUE) == 1


@pytest.mark.parametrize("score", [0, float("-inf"), float("inf")])
async def test_a_wake_up_is_picked_up_whatever_its_score(
    worker_redis: WorkerRedis, arq_redis: ArqRedis, score: float
) -> None:
    await wake_ups.send(arq_redis, QUEUE, [REF])
    await arq_redis.zadd(QUEUE, {"7:1": score})
    assert await offered(worker_redis) == [b"7:1"]
    async with worker_redis.pipeline(transaction=True) as pipe:
        await pipe.watch(in_progress_key_prefix + "7:1")
        # arq skips a score that is 0 or ahead of its clock, and converts it to an int
        assert 0 < await pipe.zscore(QUEUE, "7:1") <= now()


async def test_the_score_of_a_wake_up_does_not_depend_on_a_clock(
    worker_redis: WorkerRedis, arq_redis: ArqRedis
) -> None:
    await wake_ups.send(arq_redis, QUEUE, [REF])
    assert await arq_redis.zscore(QUEUE, "7:1") == 7
    assert await offered(worker_redis) == [b"7:1"]


async def test_a_wake_up_with_a_score_in_the_future_is_corrected_when_it_is_sent_again(
    worker_redis: WorkerRedis, arq_redis: ArqRedis
) -> None:
    await wake_ups.send(arq_redis, QUEUE, [REF])
    await arq_redis.zadd(QUEUE, {"7:1": now() + HOUR})
    await wake_ups.send(arq_redis, QUEUE, [REF])
    assert await arq_redis.zscore(QUEUE, "7:1") == 7


async def test_wake_ups_of_runs_that_are_not_queued_are_removed_without_being_picked_up(
    worker_redis: WorkerRedis, arq_redis: ArqRedis, bench: Bench, client_jobs: None
) -> None:
    created = (await bench.request(["ensembl"])).ref
    await put(arq_redis, {f"{run_id}:1": 1 for run_id in range(1_000, 1_200)}, job())
    await wake_ups.send(arq_redis, QUEUE, [created])
    assert await offered(worker_redis) == [created.job_id.encode()]
    assert await arq_redis.zcard(QUEUE) == 1


async def test_jobs_of_clients_that_ask_for_the_same_are_handled_together(
    worker_redis: WorkerRedis,
    arq_redis: ArqRedis,
    query: Query,
    client_jobs: None,
    caplog: pytest.LogCaptureFixture,
) -> None:
    for start in range(0, 3_000, 1_000):
        scores = {f"mine {start + n}": float(now()) for n in range(1_000)}
        await put(arq_redis, scores, job("run_pipeline_task", "ensembl"))
    late = now()
    await put(arq_redis, {"not": late}, job("run_pipeline_task", "ensembl", mode="full"))
    await put(arq_redis, {"wrong": late}, job("run_pipeline_task", 1, "smart"))
    with caplog.at_level(logging.INFO):
        async with limit():
            # on a slow machine, a poll ends before the end of a long queue
            while await arq_redis.zcard(QUEUE) > 1:
                await offered(worker_redis)
    (run,) = query("SELECT * FROM runs")
    assert (run["sources"], run["mode"], run["arq_job_id"]) == (["ensembl"], "smart", "mine 0")
    (mine,) = [line for line in caplog.messages if "job mine 0 became run 1" in line]
    assert "999 more" in mine
    for refusal in ("job not is refused", "job wrong is refused"):
        assert refusal in caplog.text
    assert await offered(worker_redis) == [b"1:1"]
    assert await arq_redis.keys("arq:*") == [b"arq:job:1:1"]


async def test_a_deferred_job_waits_and_any_other_job_is_handled_at_once(
    worker_redis: WorkerRedis, arq_redis: ArqRedis, query: Query, client_jobs: None
) -> None:
    """A job that is not deferred is due, although the client's clock may be ahead."""
    await put(arq_redis, {"deferred": now() + HOUR}, job("run_pipeline_task", "hgnc", et=now()))
    ahead = now() + HOUR
    await put(arq_redis, {"ahead": ahead}, job("run_pipeline_task", "ensembl", et=ahead))
    await offered(worker_redis)
    assert [run["sources"] for run in query("SELECT sources FROM runs")] == [["ensembl"]]
    assert b"deferred" in await arq_redis.zrange(QUEUE, 0, -1)


async def test_jobs_of_clients_stay_in_the_queue_while_postgresql_is_unavailable(
    worker_redis: WorkerRedis, arq_redis: ArqRedis, bench: Bench
) -> None:
    async def unavailable(*_: Any, **__: Any) -> Any:
        raise OperationalError("BEGIN", {}, Exception("the server closed the connection"))

    worker_redis.queue.client_jobs = ClientJobs(bench.db, unavailable)
    await put(arq_redis, {"mine": now()}, job("run_pipeline_task", "ensembl"))
    await wake_ups.send(arq_redis, QUEUE, [REF])
    assert await offered(worker_redis) == [b"7:1"]
    assert sorted(await arq_redis.keys("arq:*")) == [b"arq:job:7:1", b"arq:job:mine"]


async def test_jobs_of_clients_stay_in_the_queue_when_a_statement_is_canceled(
    worker_redis: WorkerRedis,
    arq_redis: ArqRedis,
    bench: Bench,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def canceled(*_: Any, **__: Any) -> Any:
        raise OperationalError("SELECT", {}, QueryCanceled("canceling statement due to timeout"))

    worker_redis.queue.client_jobs = ClientJobs(bench.db, canceled)
    await put(arq_redis, {"mine": now()}, job("run_pipeline_task", "ensembl"))
    assert await offered(worker_redis) == []
    assert await offered(worker_redis) == []
    assert sorted(await arq_redis.keys("arq:*")) == [b"arq:job:mine"]
    assert caplog.text.count("which is tried again") == 1  # and not at each poll


async def test_a_job_that_another_worker_handles_is_left_to_it(
    worker_redis: WorkerRedis, arq_redis: ArqRedis, query: Query, client_jobs: None
) -> None:
    await put(arq_redis, {"mine": now()}, job("run_pipeline_task", "ensembl"))
    await arq_redis.set(in_progress_key_prefix + "mine", "1")
    assert await offered(worker_redis) == []
    assert query("SELECT id FROM runs") == []
    assert await arq_redis.zcard(QUEUE) == 1


async def test_a_worker_survives_scores_and_counts_at_which_arq_fails(
    few_genes: Plant, arq_redis: ArqRedis
) -> None:
    """`int(-inf)`, and `INCR` of a value that is not a number, end arq's main loop."""
    await put(arq_redis, {f"{n} of 100": 0 for n in range(100)}, None)
    run_id = few_genes.annotate("ensembl")
    await arq_redis.zadd(QUEUE, {f"{run_id}:1": float("-inf")})
    await arq_redis.set(f"arq:retry:{run_id}:1", "many")
    worker = few_genes.worker()
    run = await few_genes.ended(run_id)
    assert (run["state"], worker.poll()) == ("succeeded", None)
    async with limit():
        # arq removes the wake-up after the run has ended
        while await arq_redis.zcard(QUEUE):
            await asyncio.sleep(0.05)


async def test_a_worker_goes_on_although_another_one_puts_aside_what_is_no_queue(
    arq_redis: ArqRedis, worker_redis: WorkerRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    await arq_redis.set(QUEUE, "no queue")

    async def after_another(name: str, to: str) -> None:
        await arq_redis.rename(name, to)
        await arq_redis.rename(name, to)

    monkeypatch.setattr(worker_redis, "rename", after_another)
    assert await worker_redis.zrangebyscore(QUEUE, num=10) == []
    assert await arq_redis.get(f"{QUEUE}:put-aside") == b"no queue"
