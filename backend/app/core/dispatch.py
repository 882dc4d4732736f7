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

    async def ring(self, ready: Sequence[Bell]) -> bool:
        """Ring for each of these; False when that failed, which is logged and not raised."""

    async def close(self) -> None:
        """Give back connections."""


class ArqDispatcher:
    """Rings in Redis, where an arq worker hears it."""

    def __init__(self, redis: ArqRedis, queue: str) -> None:
        self._redis = redis
        self._queue = queue
        self._failing = False

    async def ring(self, ready: Sequence[Bell]) -> bool:
        """Put the bells into arq's queue; of failures in a row, the first one is logged."""
        if not ready:
            return True
        try:
            await bells.ring(self._redis, self._queue, list(ready))
        except (RedisError, OSError) as error:
            if not self._failing:
                ids = ", ".join(bell.id for bell in ready[:5])
                logger.warning("could not ring %s, it will be rung again: %s", ids, error)
            self._failing = True
            return False
        self._failing = False
        return True

    async def close(self) -> None:
        """Close the connections to Redis."""
        await self._redis.aclose(close_connection_pool=True)


class InProcessDispatcher:
    """Wakes the executor of this process; another process finds the run when it next looks."""

    def __init__(self) -> None:
        self.wake = asyncio.Event()

    async def ring(self, ready: Sequence[Bell]) -> bool:
        """Wake the executor."""
        if ready:
            self.wake.set()
        return True

    async def close(self) -> None:
        """Nothing to give back."""
