"""The Redis client handed to arq, which must outlive what arq's own does not.

arq 0.28 ends its worker when a connection drops at the wrong moment: a poll that fails, or a
connection lost between WATCH and EXEC, is raised out of its main loop (``arq/worker.py``,
``_poll_iteration`` and ``start_jobs``), and its ``RedisSettings`` have no socket timeout.
"""

import logging
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

from arq.connections import ArqRedis
from redis.asyncio import BlockingConnectionPool
from redis.asyncio.client import Pipeline
from redis.asyncio.retry import Retry
from redis.backoff import EqualJitterBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError, WatchError
from redis.exceptions import TimeoutError as RedisTimeoutError

from app.core.bells import dump, load
from app.core.errors import UserError

logger = logging.getLogger(__name__)

HEALTH_CHECK_KEY = "arq:health-check"
"""Where arq's own health line is, one for all workers of a queue."""

SOCKET_TIMEOUT = 5.0
"""Seconds without an answer after which a connection to Redis counts as lost."""

TRIES_AT_START = 5
"""So often a worker that starts tries to reach Redis before it says that there is none."""

# a refused connection reaches the retry as the operating system's own error
_LOST: Any = (RedisConnectionError, RedisTimeoutError, OSError)

T = TypeVar("T")


class Patience(Retry):
    """Tries again for as long as Redis is away, once it was there and until the worker stops.

    Args:
        where: the address, for the message when it was not there to begin with.
    """

    def __init__(self, where: str) -> None:
        super().__init__(EqualJitterBackoff(cap=1.0, base=0.05), -1, supported_errors=_LOST)
        self.started = False
        self.stopping = False
        self._where = where
        self._failures = 0

    def __deepcopy__(self, memo: dict[int, Any]) -> "Patience":
        """Be one for all connections: redis-py copies it for each (``asyncio/connection.py``)."""
        return self

    async def call_with_retry(
        self, do: Callable[[], Awaitable[T]], fail: Callable[[RedisError], Any]
    ) -> T:
        """See redis-py's ``Retry``; the first failure and the return are logged.

        Raises:
            UserError: when Redis could not be reached at the start.
        """

        async def failed(error: RedisError) -> None:
            self._failures += 1
            if self._failures == 1:
                logger.warning("redis is away, trying again: %s", error)
            await fail(error)
            if self.stopping:
                raise error
            if not self.started and self._failures > TRIES_AT_START:
                raise unreachable(self._where, error) from error

        answer = await super().call_with_retry(do, failed)
        if self._failures:
            self._failures = 0
            logger.info("redis is back")
        return answer


def unreachable(where: str, error: Exception) -> UserError:
    """Say that there is no Redis at an address."""
    return UserError(
        f"Redis cannot be reached at {where}: {error}",
        allowed="REDIS_URL=redis://host:6379/0 of a running server",
        remedy="`make hybrid-up` starts one, or set REDIS_URL in .env",
    )


def address(url: str) -> str:
    """Return where a Redis URL points, without its credentials."""
    parts = urlsplit(url)
    return parts.path if parts.scheme == "unix" else f"{parts.hostname}:{parts.port or 6379}"


class _Pipeline(Pipeline):
    async def execute(self, raise_on_error: bool = True) -> list[Any]:  # noqa: FBT001, FBT002 - redis-py's signature
        """Give what the operator can mend its own name: redis-py wraps it when it connects."""
        try:
            return await super().execute(raise_on_error)
        except RedisConnectionError as error:
            if isinstance(error.__cause__, UserError):
                raise error.__cause__ from None
            raise

    async def immediate_execute_command(self, *args: Any, **options: Any) -> Any:
        """Answer as if somebody else had the job when the connection is lost after WATCH."""
        try:
            return await super().immediate_execute_command(*args, **options)  # type: ignore[no-untyped-call]
        except WatchError:
            logger.warning("redis was lost while a job was picked up; the job stays queued")
            return 1 if args[0] == "EXISTS" else None


class WorkerRedis(ArqRedis):
    """An ``ArqRedis`` that speaks JSON and that no outage, stray member or sibling's stop ends."""

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> Pipeline:  # noqa: FBT001, FBT002 - redis-py's signature
        """See redis-py's ``Redis.pipeline``."""
        return _Pipeline(self.connection_pool, self.response_callbacks, transaction, shard_hint)

    async def zrangebyscore(self, name: Any, *args: Any, **kwargs: Any) -> Any:
        """Leave out, and remove, members that arq would stumble over: its ids are UTF-8."""
        members = await super().zrangebyscore(name, *args, **kwargs)
        good = []
        for member in members:
            try:
                member.decode()
            except UnicodeDecodeError:
                logger.warning("removed a member of %s that is no job id: %r", name, member[:80])
                await self.zrem(name, member)
            else:
                good.append(member)
        return good

    async def delete(self, *names: Any) -> Any:
        """Keep the health line when one worker stops cleanly: it speaks for all of them."""
        others = [name for name in names if name != HEALTH_CHECK_KEY]
        return await super().delete(*others) if others else 0


def connect(url: str, queue: str, *, patience: Patience | None = None) -> WorkerRedis:
    """Create a client; it connects when first used.

    Args:
        url: ``redis://``, ``rediss://`` or ``unix://``; a password may be percent-encoded.
        queue: the key of the queue.
        patience: of a worker. Without it a command is tried three times within a second.
    """
    retry = patience or Retry(EqualJitterBackoff(cap=0.5, base=0.05), 3, supported_errors=_LOST)
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=20,
        timeout=20,
        retry=retry,
        socket_timeout=SOCKET_TIMEOUT,
        socket_connect_timeout=2.0,
        socket_keepalive=True,
    )
    return WorkerRedis(pool, job_serializer=dump, job_deserializer=load, default_queue_name=queue)
