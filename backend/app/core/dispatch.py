import asyncio
import logging
from collections.abc import Sequence
from typing import Protocol

from arq.connections import ArqRedis
from redis.exceptions import RedisError

from app.core import bells
from app.core.transitions import Bell

logger = logging.getLogger(__name__)


class Dispatcher(Protocol):
    """Tells whoever executes runs that some are ready.

    Ringing may fail or be repeated: PostgreSQL knows what is queued, and recovery rings again.
    """

    async def ring(self, ready: Sequence[Bell]) -> None:
        """Ring for each of these; a failure is logged and not raised."""

    async def close(self) -> None:
        """Give back connections."""


class ArqDispatcher:
    """Rings in Redis, where an arq worker hears it."""

    def __init__(self, redis: ArqRedis, queue: str) -> None:
        self._redis = redis
        self._queue = queue

    async def ring(self, ready: Sequence[Bell]) -> None:
        """Put the bells into arq's queue."""
        if not ready:
            return
        try:
            await bells.ring(self._redis, self._queue, list(ready))
        except (RedisError, OSError) as error:
            ids = ", ".join(bell.id for bell in ready[:5])
            logger.warning("could not ring %s, it will be rung again: %s", ids, error)

    async def close(self) -> None:
        """Close the connections to Redis."""
        await self._redis.aclose(close_connection_pool=True)


class InProcessDispatcher:
    """Wakes the executor of this process; another process finds the run when it next looks."""

    def __init__(self) -> None:
        self.wake = asyncio.Event()

    async def ring(self, ready: Sequence[Bell]) -> None:
        """Wake the executor."""
        if ready:
            self.wake.set()

    async def close(self) -> None:
        """Nothing to give back."""
