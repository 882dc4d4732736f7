"""Retries commands while Redis is unavailable."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoPermissionError, OutOfMemoryError, ReadOnlyError, RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from app.core.errors import START_SERVERS, UserError

logger = logging.getLogger(__name__)

STARTUP_CONNECT_ATTEMPTS = 5
"""The number of failed attempts to connect to Redis after which a starting worker gives up."""

MAX_RETRY_DELAY = 1.0
"""The maximum delay between two attempts, in seconds."""

# redis-py reports a refused connection as an OSError
CONNECTION_ERRORS: Any = (RedisConnectionError, RedisTimeoutError, OSError)

# redis-py has classes for the first three, but an error from a Lua script only quotes the word
_REFUSALS = ("OOM", "READONLY", "NOPERM", "MISCONF", "NOREPLICAS", "MASTERDOWN")

T = TypeVar("T")


def is_unavailable(error: Exception) -> bool:
    """Return whether an error means that Redis cannot be reached, or refuses commands for now."""
    refused = (NoPermissionError, OutOfMemoryError, ReadOnlyError)
    return isinstance(error, (*CONNECTION_ERRORS, *refused)) or (
        isinstance(error, RedisError) and any(word in str(error) for word in _REFUSALS)
    )


class RedisRetry:
    """Retries commands while Redis is unavailable.

    A starting worker gives up after :data:`STARTUP_CONNECT_ATTEMPTS` failures. A worker that has
    started retries until it is stopped.

    Args:
        where: the address of Redis, for error messages.

    Attributes:
        started: whether the worker has started.
        stopping: whether the worker is stopping; errors are then raised at once.
    """

    def __init__(self, where: str) -> None:
        self.started = False
        self.stopping = False
        self._where = where
        self._failures = 0

    async def call(self, command: Callable[[], Awaitable[T]]) -> T:
        """Run a command, and retry until Redis replies. Log the first failure and the recovery.

        Raises:
            UserError: Redis cannot be reached at the start.
            redis.exceptions.RedisError: the worker is stopping, or a retry would not help.
            OSError: the worker is stopping.
        """
        while True:
            try:
                answer = await command()
            except (RedisError, OSError) as error:
                if self.stopping:
                    raise
                if not is_unavailable(error):
                    if self.started:
                        raise
                    raise unreachable(self._where, error) from error
                self._failures += 1
                if self._failures == 1:
                    logger.warning(
                        "Redis is unavailable at %s; retrying about once a second: %s",
                        self._where,
                        error,
                    )
                if not self.started and self._failures > STARTUP_CONNECT_ATTEMPTS:
                    raise unreachable(self._where, error) from error
            else:
                if self._failures:
                    failures, self._failures = self._failures, 0
                    logger.info("Redis is available again after %d failed attempts", failures)
                return answer
            pause = min(MAX_RETRY_DELAY, 0.05 * 2 ** min(self._failures, 5))
            await asyncio.sleep(pause * random.uniform(0.5, 1))  # noqa: S311 - no secret


def unreachable(where: str, error: Exception) -> UserError:
    """Return the error for a Redis that cannot be used."""
    return UserError(
        f"Redis cannot be used at {where}: {error}",
        allowed="REDIS_URL=redis://user:password@host:6379/0 of a running server",
        remedy="start Redis, or correct REDIS_URL in .env",
        steps=(START_SERVERS,),
    )
