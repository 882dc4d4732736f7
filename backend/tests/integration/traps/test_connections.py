"""Redis or PostgreSQL is unavailable while arq's loop runs."""

import asyncio
from typing import Any

import pytest
from arq import func
from arq.connections import ArqRedis
from arq.constants import in_progress_key_prefix, job_key_prefix
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import WatchError

from app.core.arq.client import SOCKET_TIMEOUT
from harness.timing import limit
from services.redis import Redis
from tests.integration.api.proxy import Proxy
from tests.plant import QUEUE


async def test_an_unavailable_redis_ends_arqs_loop_while_its_job_goes_on(
    plain, redis_server: Redis
) -> None:
    started = asyncio.Event()

    async def works(ctx: dict[str, Any]) -> None:
        started.set()
        await asyncio.Event().wait()

    async with plain.worker(func(works, name="works")) as worker, limit():
        await plain.redis.enqueue_job("works")
        await started.wait()
        redis_server.kill()
        try:
            with pytest.raises((RedisConnectionError, OSError)):
                await worker.main_task
            assert not any(task.done() for task in worker.job_tasks.values())
        finally:
            redis_server.start()


async def drop_connections(redis: ArqRedis) -> None:
    """Let the server close all other connections."""
    await redis.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")


async def test_a_connection_lost_inside_watch_ends_arqs_loop_and_not_ours(
    plain, worker_redis, arq_redis
) -> None:
    key = in_progress_key_prefix + "7:1"
    async with plain.redis.pipeline(transaction=True) as pipe:
        await pipe.watch(key)
        await drop_connections(arq_redis)
        # arq expects this error only from EXEC (``arq/worker.py``, ``start_jobs``)
        with pytest.raises(WatchError):
            await pipe.exists(key)
    async with worker_redis.pipeline(transaction=True) as pipe:
        await pipe.watch(key)
        await drop_connections(arq_redis)
        # as if another worker had taken the job: arq leaves it in the queue
        assert await pipe.exists(key) == 1


async def test_arq_has_no_timeout_for_redis_and_our_clients_have(
    plain, worker_redis, arq_redis
) -> None:
    def timeout(redis: ArqRedis) -> float | None:
        seconds: float | None = redis.connection_pool.connection_kwargs.get("socket_timeout")
        return seconds

    assert timeout(plain.redis) is None
    assert timeout(worker_redis) == timeout(arq_redis) == SOCKET_TIMEOUT


async def test_a_wake_up_that_arrives_while_postgresql_is_unavailable_is_kept(
    plant, genes, bench, arq_redis
) -> None:
    proxy = Proxy(plant.env["DATABASE_URL"])
    await proxy.open()
    worker = plant.worker(DATABASE_URL=proxy.dsn.get_secret_value())
    await plant.says(worker, "is alive")
    await proxy.cut()
    await plant.says(worker, "the session with PostgreSQL was lost")
    ref = (await bench.request(["ensembl"])).ref
    await arq_redis.enqueue_job(ref.task, "ensembl", _job_id=ref.job_id)
    # arq polls twice a second
    await asyncio.sleep(1.2)
    assert await arq_redis.zscore(QUEUE, ref.job_id) is not None
    assert await arq_redis.exists(job_key_prefix + ref.job_id)
    await proxy.open()
    run = await plant.ended()
    assert (run["state"], run["attempts"], worker.poll()) == ("succeeded", 1, None)
    await proxy.cut()
