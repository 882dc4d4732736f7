"""Which worker has a job, for how long, and how often arq tries it."""

import asyncio
from typing import Any

import pytest
from arq import func
from arq.constants import in_progress_key_prefix
from arq.worker import create_worker

from app.core.workers.liveness import Liveness
from app.core.workers.views import list_workers
from app.db import migrate
from app.db.engine import create_engine
from harness.timing import limit
from tests.integration.conftest import QUICK, Bench


async def forever(ctx: dict[str, Any]) -> None:
    ctx["started"].set()
    await asyncio.Event().wait()


async def test_arq_leases_a_job_for_the_longest_timeout_of_all_jobs(plain) -> None:
    started = asyncio.Event()
    short, long = func(forever, timeout=3_600), func(forever, name="long", timeout=21_600)
    async with plain.worker(short, long, ctx={"started": started}):
        job = await plain.redis.enqueue_job("forever")
        async with limit():
            await started.wait()
        # no other worker takes the job before, even if this one is killed
        assert 21_600 < await plain.redis.ttl(in_progress_key_prefix + job.job_id) <= 21_610


async def test_arq_counts_a_clean_stop_as_a_try_and_fails_the_job_at_the_sixth(plain) -> None:
    started = asyncio.Event()
    async with plain.worker(forever, ctx={"started": started}) as worker:
        job = await plain.redis.enqueue_job("forever")
        async with limit():
            for _ in range(5):
                await started.wait()
                started.clear()
                worker.job_tasks[job.job_id].cancel()
            while (result := await job.result_info()) is None:
                await asyncio.sleep(0.02)
    assert (result.success, str(result.result)) == (False, "max 5 retries exceeded")


async def test_arq_does_not_retry_a_job_that_failed_or_timed_out(plain) -> None:
    calls = []

    async def fails(ctx: dict[str, Any]) -> None:
        calls.append("fails")
        raise OSError("the network is unreachable")

    async def hangs(ctx: dict[str, Any]) -> None:
        calls.append("hangs")
        await asyncio.Event().wait()

    for name in ("fails", "hangs"):
        await plain.redis.enqueue_job(name)
    await plain.work_off(func(fails, name="fails"), func(hangs, name="hangs", timeout=0.05))
    assert sorted(calls) == ["fails", "hangs"]


async def test_an_error_in_arqs_on_job_start_ends_the_worker_and_leaves_the_lease(plain) -> None:
    async def on_job_start(ctx: dict[str, Any]) -> None:
        raise RuntimeError("the hook is broken")

    job = await plain.redis.enqueue_job("forever")
    async with plain.worker(forever, on_job_start=on_job_start) as worker, limit():
        with pytest.raises(RuntimeError, match="the hook is broken"):
            await worker.main_task
    assert await plain.redis.ttl(in_progress_key_prefix + job.job_id) > 0


async def test_arq_ignores_inherited_settings(redis_url: str) -> None:
    class Base:
        functions = (forever,)
        queue_name = "mine"

    class Settings(Base):
        max_jobs = 7

    with pytest.raises(RuntimeError, match="at least one function"):
        create_worker(Settings, handle_signals=False)


async def test_of_two_workers_with_the_same_wake_up_one_claims_the_run(bench: Bench) -> None:
    async def works(_: Any) -> None:
        await asyncio.Event().wait()

    ref = (await bench.request()).ref
    async with bench.worker(works, slots=0) as one, bench.worker(works, slots=0) as other:
        claims = await asyncio.gather(
            *(engine.claim(ref.run_id, ref.epoch) for engine in (one, one, other, other))
        )
        assert sum(claim is not None for claim in claims) == 1
    assert (await bench.events(ref.run_id)).count("claimed") == 1


async def test_a_lock_in_another_database_does_not_count_as_alive(
    bench: Bench, empty_database_url: str
) -> None:
    other = create_engine(empty_database_url, session="test")
    async with other.begin() as connection:
        await connection.run_sync(migrate.upgrade)
    await other.dispose()
    here = Liveness(bench.settings.database_url.get_secret_value(), kind="arq", timing=QUICK)
    there = Liveness(empty_database_url, kind="arq", timing=QUICK)
    await here.connect()
    await there.connect()
    assert here.worker_id == there.worker_id
    await here.drop()
    async with bench.db.connect() as connection:
        assert [worker.alive for worker in await list_workers(connection)] == [False]
    await there.stop()


async def test_a_worker_that_has_just_reconnected_takes_no_runs_from_others(
    database_url: str,
) -> None:
    worker = Liveness(database_url, kind="arq", timing=QUICK)
    await worker.connect()
    assert worker.settled
    await worker.drop()
    await worker.connect()
    assert not worker.settled
    await asyncio.sleep(QUICK.settle)
    assert worker.settled
    await worker.stop()
