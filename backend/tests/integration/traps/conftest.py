import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from arq import create_pool
from arq.connections import ArqRedis, RedisSettings
from arq.worker import Worker

from harness.timing import limit


class PlainArq:
    """arq with its default settings."""

    def __init__(self, url: str, redis: ArqRedis) -> None:
        self.url = url
        self.redis = redis

    @asynccontextmanager
    async def worker(self, *functions: Any, **settings: Any) -> AsyncIterator[Worker]:
        """A worker in this process, which polls for jobs until the end of the block.

        Its main loop is the task `main_task`, which ends if the loop raises an error.
        """
        given = {"redis_settings": RedisSettings.from_dsn(self.url), "poll_delay": 0.02} | settings
        worker = Worker(functions, handle_signals=False, **given)
        main = worker.main_task = asyncio.create_task(worker.main())
        try:
            yield worker
        finally:
            tasks = [main, *worker.tasks.values()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            if worker._pool is not None:
                await worker._pool.aclose(close_connection_pool=True)

    async def work_off(self, *functions: Any, **settings: Any) -> None:
        """Let a worker execute the queued jobs."""
        async with self.worker(*functions, burst=True, **settings) as worker, limit():
            assert worker.main_task is not None
            await worker.main_task


@pytest.fixture
async def plain(redis_url: str) -> AsyncIterator[PlainArq]:
    redis = await create_pool(RedisSettings.from_dsn(redis_url))
    yield PlainArq(redis_url, redis)
    await redis.aclose(close_connection_pool=True)
