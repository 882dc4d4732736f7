"""The Redis clients for arq. The worker's client survives outages that end arq's own.

With its own client, arq 0.28 ends the worker when a poll fails or a connection is lost between
WATCH and EXEC: the error leaves its main loop (``arq/worker.py``, ``_poll_iteration`` and
``start_jobs``). Its ``RedisSettings`` have no socket timeout either.
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

_BAD_KEY_ERRORS = (_WRONG_TYPE, "not an integer", "would overflow")
"""Words of Redis' errors about a key that holds something else than arq put there."""

DECLINE_SECONDS = 2.0
"""Seconds for which a worker skips a job that it gave back. Other workers poll several times in
between."""

SOCKET_TIMEOUT = 5.0
"""Seconds without an answer after which a connection to Redis counts as lost."""


class _RetryingPipeline(Pipeline):
    """A pipeline of arq's worker, which retries while Redis is unavailable."""

    redis_retry: RedisRetry

    async def execute(self, raise_on_error: bool = True) -> list[Any]:  # noqa: FBT001, FBT002 - redis-py's signature
        """Send the commands, and again until Redis answers.

        Each command returns None if a key holds something else than arq put there, or if Redis is
        unavailable while the worker stops. arq takes None for a job that is gone.
        """
        parent = super().execute
        if self.watching:
            # this picks up a job: arq itself handles a WatchError or a refusal here
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
            if not any(words in str(error) for words in _BAD_KEY_ERRORS):
                raise
            logger.warning("a key of the queue does not hold a job: %s", error)
        return [None] * len(commands)

    async def immediate_execute_command(self, *args: Any, **options: Any) -> Any:
        """Run a command at once.

        If Redis is unavailable after WATCH, answer as if another worker had taken the job: arq then
        leaves the job in the queue.
        """
        parent = super().immediate_execute_command
        if not self.watching:
            return await self.redis_retry.call(lambda: parent(*args, **options))  # type: ignore[no-untyped-call]
        try:
            answer = await parent(*args, **options)  # type: ignore[no-untyped-call]
        except (RedisError, OSError) as error:
            # WRONGTYPE means that the queue was replaced, which the next poll finds out
            leave_queued = (
                is_unavailable(error) or isinstance(error, WatchError) or _WRONG_TYPE in str(error)
            )
            if not leave_queued:
                raise
            logger.warning("a job could not be picked up and stays queued: %s", error)
            await self.reset()  # type: ignore[no-untyped-call]
            await asyncio.sleep(MAX_RETRY_DELAY)
            return 1 if args[0] == "EXISTS" else None
        # arq skips a score of 0 or of the future, and fails at one that is not finite; `JobQueue`
        # has already decided that this member is to be started
        is_score = args[0] == "ZSCORE" and answer is not None
        return float(timestamp_ms()) if is_score else answer


class WorkerRedis(ArqRedis):
    """The client of arq's worker. No outage, foreign key or stop of another worker ends it.

    Attributes:
        redis_retry: retries commands, and knows whether the worker is stopping.
        queue: chooses the wake-ups that this worker can start.
        may_pick_up: tells whether the worker can take a job now.
    """

    redis_retry: RedisRetry
    queue: JobQueue
    may_pick_up: Callable[[], bool] = staticmethod(lambda: True)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._declined: dict[bytes, float] = {}

    def decline(self, job_id: str, seconds: float = DECLINE_SECONDS) -> None:
        """Leave a job to the other workers for some seconds."""
        self._declined[job_id.encode()] = time.monotonic() + seconds

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """Send a command, and again until Redis answers."""
        parent = super().execute_command
        return await self.redis_retry.call(lambda: parent(*args, **options))  # type: ignore[no-untyped-call]

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> Pipeline:  # noqa: FBT001, FBT002 - redis-py's signature
        """See redis-py's ``Redis.pipeline``."""
        pipeline = _RetryingPipeline(
            self.connection_pool, self.response_callbacks, transaction, shard_hint
        )
        pipeline.redis_retry = self.redis_retry
        return pipeline

    async def zrangebyscore(self, name: Any, *args: Any, **kwargs: Any) -> Any:
        """Return the wake-ups that this worker can start; `job_queue` handles all other members.

        Wake-ups that this worker has just declined are left out. If the key of the queue holds
        something else, it is renamed, and recovery sends the wake-ups again.
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
            try:
                await self.rename(name, f"{name}:put-aside")
            except ResponseError as gone:
                # another worker that met the key at the same moment has renamed it
                if "no such key" not in str(gone):
                    raise
                return []
            logger.warning("%s does not hold a queue; it was renamed to %s:put-aside", name, name)
            return []

    async def zcard(self, name: Any) -> Any:
        """Return the length of the queue; 0 if the key holds something else.

        arq asks for it only to write its health line.
        """
        try:
            return await super().zcard(name)
        except ResponseError as error:
            if _WRONG_TYPE not in str(error):
                raise
            return 0

    async def delete(self, *names: Any) -> Any:
        """Delete keys, except the health line, which stands for the other workers too."""
        others = [name for name in names if name != HEALTH_CHECK_KEY]
        return await super().delete(*others) if others else 0


def _pool(url: str, retries: int) -> ConnectionPool:
    return new_pool(
        url,
        retry=Retry(
            EqualJitterBackoff(cap=0.5, base=0.05), retries, supported_errors=CONNECTION_ERRORS
        ),
        # without these, redis-py does not retry a command (``redis/asyncio/client.py``)
        retry_on_error=list(CONNECTION_ERRORS),
        socket_timeout=SOCKET_TIMEOUT,
        socket_connect_timeout=2.0,
        socket_keepalive=True,
    )


def connect(url: str, queue: str) -> ArqRedis:
    """Create a client of arq that writes jobs as JSON, and tries a command up to four times.

    Args:
        url: see `redis_url`.
        queue: the key of the queue.
    """
    return ArqRedis(
        _pool(url, 3), job_serializer=dump, job_deserializer=load, default_queue_name=queue
    )


def connect_worker(url: str, queue: str, redis_retry: RedisRetry) -> WorkerRedis:
    """Create the client of arq's worker; it connects when it is first used."""
    redis = WorkerRedis(
        _pool(url, 1), job_serializer=dump, job_deserializer=load, default_queue_name=queue
    )
    redis.redis_retry = redis_retry
    redis.queue = JobQueue(redis, queue, [job.name for job in JOBS])
    return redis
