"""The Redis client handed to arq, which must outlive what arq's own does not.

arq 0.28 ends its worker when Redis fails it at the wrong moment: a poll that fails, or a
connection lost between WATCH and EXEC, is raised out of its main loop (``arq/worker.py``,
``_poll_iteration`` and ``start_jobs``), and its ``RedisSettings`` have no socket timeout.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

from arq.connections import ArqRedis
from arq.utils import timestamp_ms
from redis.asyncio import ConnectionPool
from redis.asyncio.client import Pipeline
from redis.asyncio.retry import Retry
from redis.backoff import EqualJitterBackoff
from redis.exceptions import RedisError, ResponseError, WatchError

from app.core.arq.job_queue import JobQueue
from app.core.arq.wake_ups import dump, load
from app.core.redis.health_line import HEALTH_CHECK_KEY
from app.core.redis.pool import new_pool
from app.core.redis.retry import CONNECTION_ERRORS, MAX_RETRY_DELAY, RedisRetry, is_unavailable
from app.core.runs.jobs import JOBS

logger = logging.getLogger(__name__)

_WRONG_TYPE = "WRONGTYPE"

_NOT_ARQS = (_WRONG_TYPE, "not an integer", "would overflow")
"""What Redis says of a key that holds something else than arq has put there."""

DECLINED = 2.0
"""Seconds for which a worker looks past a job that it handed back: several polls of the others."""

SOCKET_TIMEOUT = 5.0
"""Seconds without an answer after which a connection to Redis counts as lost."""


class _PatientPipeline(Pipeline):
    """A pipeline of arq's worker: it waits for Redis, and gives up only what must be."""

    redis_retry: RedisRetry

    async def execute(self, raise_on_error: bool = True) -> list[Any]:  # noqa: FBT001, FBT002 - redis-py's signature
        """Send the commands until Redis answers.

        A key that is not what it should be (of another type, a count that is none), and Redis'
        absence while the worker stops, give None for each command: arq takes that for a job that
        is gone.
        """
        parent = super().execute
        if self.watching:
            # a pick-up, where arq knows what a WatchError or a refusal means
            return await parent(raise_on_error)
        commands = list(self.command_stack)

        async def send() -> list[Any]:
            self.command_stack = list(commands)
            return await parent(raise_on_error)

        try:
            return await self.redis_retry.call(send)
        except CONNECTION_ERRORS as error:
            if not self.redis_retry.stopping:
                raise
            logger.warning("Redis is unavailable while the worker stops: %s", error)
        except ResponseError as error:
            if not any(words in str(error) for words in _NOT_ARQS):
                raise
            logger.warning("a key of the queue is no job: %s", error)
        return [None] * len(commands)

    async def immediate_execute_command(self, *args: Any, **options: Any) -> Any:
        """Answer as if somebody else had the job when Redis is lost, or refuses, after WATCH."""
        parent = super().immediate_execute_command
        if not self.watching:
            return await self.redis_retry.call(lambda: parent(*args, **options))  # type: ignore[no-untyped-call]
        try:
            answer = await parent(*args, **options)  # type: ignore[no-untyped-call]
        except (RedisError, OSError) as error:
            # of the wrong type: the queue was replaced, which the next look into it sees
            passes = (
                is_unavailable(error) or isinstance(error, WatchError) or _WRONG_TYPE in str(error)
            )
            if not passes:
                raise
            logger.warning("no job could be picked up, it stays queued: %s", error)
            await self.reset()  # type: ignore[no-untyped-call]
            await asyncio.sleep(MAX_RETRY_DELAY)
            return 1 if args[0] == "EXISTS" else None
        # arq passes over a score of 0 or of the future, and stumbles over one that is not finite;
        # a member that is here has been found fit to be started
        is_score = args[0] == "ZSCORE" and answer is not None
        return float(timestamp_ms()) if is_score else answer


class WorkerRedis(ArqRedis):
    """What arq's worker is given: no outage, stray key or sibling's stop ends it."""

    redis_retry: RedisRetry
    queue: JobQueue
    may_pick_up: Callable[[], bool] = staticmethod(lambda: True)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._declined: dict[bytes, float] = {}

    def decline(self, job_id: str, seconds: float = DECLINED) -> None:
        """Leave a job to the other workers for a while."""
        self._declined[job_id.encode()] = time.monotonic() + seconds

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """Send a command until Redis answers."""
        parent = super().execute_command
        return await self.redis_retry.call(lambda: parent(*args, **options))  # type: ignore[no-untyped-call]

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> Pipeline:  # noqa: FBT001, FBT002 - redis-py's signature
        """See redis-py's ``Redis.pipeline``."""
        pipeline = _PatientPipeline(
            self.connection_pool, self.response_callbacks, transaction, shard_hint
        )
        pipeline.redis_retry = self.redis_retry
        return pipeline

    async def zrangebyscore(self, name: Any, *args: Any, **kwargs: Any) -> Any:
        """Return the wake-ups that this worker can start; see `job_queue` for all the rest.

        A wake-up is not picked up when its run could not be claimed, or when it was just declined.
        A key that is no queue is renamed; recovery sends again the wake-ups that were in it.
        """
        del args
        if not self.may_pick_up():
            return []
        now = time.monotonic()
        self._declined = {job: until for job, until in self._declined.items() if until > now}
        try:
            return await self.queue.wake_ups(kwargs["num"], self._declined)
        except ResponseError as error:
            if _WRONG_TYPE not in str(error):
                raise
            logger.warning("%s is no queue; it is now at %s:put-aside", name, name)
            await self.rename(name, f"{name}:put-aside")
            return []

    async def zcard(self, name: Any) -> Any:
        """Count nothing in a queue that is none; arq asks for its health line only."""
        try:
            return await super().zcard(name)
        except ResponseError as error:
            if _WRONG_TYPE not in str(error):
                raise
            return 0

    async def delete(self, *names: Any) -> Any:
        """Keep the health line when one worker stops cleanly: it speaks for all of them."""
        others = [name for name in names if name != HEALTH_CHECK_KEY]
        return await super().delete(*others) if others else 0


def _pool(url: str, tries: int) -> ConnectionPool:
    return new_pool(
        url,
        retry=Retry(
            EqualJitterBackoff(cap=0.5, base=0.05), tries, supported_errors=CONNECTION_ERRORS
        ),
        # without it a command is not tried again, whatever the retry says (``asyncio/client.py``)
        retry_on_error=list(CONNECTION_ERRORS),
        socket_timeout=SOCKET_TIMEOUT,
        socket_connect_timeout=2.0,
        socket_keepalive=True,
    )


def connect(url: str, queue: str) -> ArqRedis:
    """Create a client that speaks arq's language in JSON, and tries a command four times.

    Args:
        url: see `redis_url`.
        queue: the key of the queue.
    """
    return ArqRedis(
        _pool(url, 3), job_serializer=dump, job_deserializer=load, default_queue_name=queue
    )


def connect_worker(url: str, queue: str, redis_retry: RedisRetry) -> WorkerRedis:
    """Create the client of arq's worker; it connects when first used."""
    redis = WorkerRedis(
        _pool(url, 1), job_serializer=dump, job_deserializer=load, default_queue_name=queue
    )
    redis.redis_retry = redis_retry
    redis.queue = JobQueue(redis, queue, [job.name for job in JOBS])
    return redis
