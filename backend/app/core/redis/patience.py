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

TRIES_AT_START = 5
"""So often a worker that starts tries to reach Redis before it says that there is none."""

LONGEST_PAUSE = 1.0
"""Seconds between two tries."""

# a refused connection comes as the operating system's own error
LOST: Any = (RedisConnectionError, RedisTimeoutError, OSError)

# the first three have classes of their own, but a script that they stopped quotes them in its error
_REFUSALS = ("OOM", "READONLY", "NOPERM", "MISCONF", "NOREPLICAS", "MASTERDOWN")

T = TypeVar("T")


def is_away(error: Exception) -> bool:
    """Tell whether Redis cannot be reached, or refuses for now what it is asked."""
    refused = (NoPermissionError, OutOfMemoryError, ReadOnlyError)
    return isinstance(error, (*LOST, *refused)) or (
        isinstance(error, RedisError) and any(word in str(error) for word in _REFUSALS)
    )


class Patience:
    """Tries again for as long as Redis is away, once it was there and until the worker stops.

    Args:
        where: the address, for the message when it was not there to begin with.
    """

    def __init__(self, where: str) -> None:
        self.started = False
        self.stopping = False
        self._where = where
        self._failures = 0

    async def until_back(self, do: Callable[[], Awaitable[T]]) -> T:
        """Do something with Redis; the first failure and the return are logged.

        Raises:
            UserError: Redis could not be reached at the start.
            redis.exceptions.RedisError: the worker is stopping, or the answer is an error that
                trying again would not mend.
        """
        while True:
            try:
                answer = await do()
            except (RedisError, OSError) as error:
                if self.stopping:
                    raise
                if not is_away(error):
                    if self.started:
                        raise
                    raise unreachable(self._where, error) from error
                self._failures += 1
                if self._failures == 1:
                    logger.warning("redis is away, trying again: %s", error)
                if not self.started and self._failures > TRIES_AT_START:
                    raise unreachable(self._where, error) from error
            else:
                if self._failures:
                    self._failures = 0
                    logger.info("redis is back")
                return answer
            pause = min(LONGEST_PAUSE, 0.05 * 2 ** min(self._failures, 5))
            await asyncio.sleep(pause * random.uniform(0.5, 1))  # noqa: S311 - no secret


def unreachable(where: str, error: Exception) -> UserError:
    """Say that there is no Redis at an address that can be used."""
    return UserError(
        f"Redis cannot be used at {where}: {error}",
        allowed="REDIS_URL=redis://user:password@host:6379/0 of a running server",
        remedy="start Redis, or correct REDIS_URL in .env",
        steps=(START_SERVERS,),
    )
