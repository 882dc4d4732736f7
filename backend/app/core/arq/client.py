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
"""Parts of Redis' errors about a key whose value arq did not write."""

DECLINE_SECONDS = 2.0
"""Seconds for which a worker skips a job that it returned to the queue. Other workers poll several
times meanwhile."""

SOCKET_TIMEOUT = 5.0
"""Seconds without a reply after which a connection to Redis counts as lost."""


class _RetryingPipeline(Pipeline):
    """A pipeline of arq's worker that retries while Redis is unavailable."""

    redis_retry: RedisRetry

    async def execute(self, raise_on_error: bool = True) -> list[Any]:  # noqa: FBT001, FBT002 - redis-py's signature
        """Send the commands, and retry until Redis replies.

        Each command returns None if a key holds a value that arq did not write, or if Redis is
        unavailable while the worker stops. arq interprets None as a job that is gone.
        """
        parent = super().execute
        if self.watching:
            # this transaction picks up a job; arq itself handles a WatchError or an error of Redis
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
            logger.warning(
                "Redis is unavailable while the worker stops; the worker stops without it: %s",
                error,
            )
        except ResponseError as error:
            if not any(words in str(error) for words in _BAD_KEY_ERRORS):
                raise
            logger.warning("a key of the queue does not hold a job and is ignored: %s", error)
        return [None] * len(commands)

    async def immediate_execute_command(self, *args: Any, **options: Any) -> Any:
        """Execute a command at once.

        If Redis is unavailable after WATCH, return what a job that another worker has picked up
        would return: arq then leaves the job in the queue.
        """
        parent = super().immediate_execute_command
        if not self.watching:
            return await self.redis_retry.call(lambda: parent(*args, **options))  # type: ignore[no-untyped-call]
        try:
            reply = await parent(*args, **options)  # type: ignore[no-untyped-call]
        except (RedisError, OSError) as error:
            # WRONGTYPE means that another program replaced the queue; the next poll handles that
            leave_queued = (
                is_unavailable(error) or isinstance(error, WatchError) or _WRONG_TYPE in str(error)
            )
            if not leave_queued:
                raise
            logger.warning("a job could not be picked up and stays queued: %s", error)
            await self.reset()  # type: ignore[no-untyped-call]
            await asyncio.sleep(MAX_RETRY_DELAY)
            return 1 if args[0] == "EXISTS" else None
        # arq skips a member whose score is 0 or in the future, and fails if it is not finite;
        # `JobQueue` has already decided that this member can start
        is_score = args[0] == "ZSCORE" and reply is not None
        return float(timestamp_ms()) if is_score else reply


class WorkerRedis(ArqRedis):
    """The client of arq's worker. Outages and unexpected keys do not end the worker.

    Attributes:
        redis_retry: retries commands, and knows whether the worker is stopping.
        queue: selects the wake-ups that this worker can start.
        may_pick_up: returns whether the worker can pick up a job now.
    """

    redis_retry: RedisRetry
    queue: JobQueue
    may_pick_up: Callable[[], bool] = staticmethod(lambda: True)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._declined: dict[bytes, float] = {}

    def decline(self, job_id: str, seconds: float = DECLINE_SECONDS) -> None:
        """Leave a job to the other workers for some seconds.

        Args:
            job_id: the id of the job.
            seconds: the time during which this worker skips the job.
        """
        self._declined[job_id.encode()] = time.monotonic() + seconds

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """Send a command, and retry until Redis replies."""
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

        Wake-ups that this worker has just declined are omitted. If the key of the queue holds
        another type of value, it is renamed, and recovery resends the wake-ups.
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
                # another worker has renamed the key at the same moment
                if "no such key" not in str(gone):
                    raise
                return []
            logger.warning(
                "the key %s does not hold a queue; it was renamed to %s:put-aside, and wake-ups are"
                " sent again",
                name,
                name,
            )
            return []

    async def zcard(self, name: Any) -> Any:
        """Return the length of the queue; 0 if the key holds another type of value.

        arq reads the length only for its health line.
        """
        try:
            return await super().zcard(name)
        except ResponseError as error:
            if _WRONG_TYPE not in str(error):
                raise
            return 0

    async def delete(self, *names: Any) -> Any:
        """Delete keys except the health line, which all workers of the queue share."""
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
    """Create an arq client that writes jobs as JSON and attempts a command up to four times.

    Args:
        url: the address of Redis, see `REDIS_URL`.
        queue: the Redis key of the queue.
    """
    return ArqRedis(
        _pool(url, 3), job_serializer=dump, job_deserializer=load, default_queue_name=queue
    )


def connect_worker(url: str, queue: str, redis_retry: RedisRetry) -> WorkerRedis:
    """Create the client of arq's worker. It connects when it is first used.

    Args:
        url: the address of Redis, see `REDIS_URL`.
        queue: the Redis key of the queue.
        redis_retry: retries the client's commands.
    """
    redis = WorkerRedis(
        _pool(url, 1), job_serializer=dump, job_deserializer=load, default_queue_name=queue
    )
    redis.redis_retry = redis_retry
    redis.queue = JobQueue(redis, queue, [job.name for job in JOBS])
    return redis
