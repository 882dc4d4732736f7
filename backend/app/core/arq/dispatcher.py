import logging
from collections.abc import Sequence

from arq.connections import ArqRedis
from redis.exceptions import RedisError

from app.core.arq import wake_ups
from app.core.runs.transitions import Bell

logger = logging.getLogger(__name__)


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
            await wake_ups.ring(self._redis, self._queue, list(ready))
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
