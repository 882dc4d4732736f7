"""Sends wake-ups through arq's queue."""

import logging
from collections.abc import Collection, Sequence

from arq.connections import ArqRedis
from redis.exceptions import RedisError

from app.core.arq import wake_ups
from app.core.runs.ref import RunRef

logger = logging.getLogger(__name__)


class ArqDispatcher:
    """Adds wake-ups to arq's queue, from which a worker picks them up.

    Args:
        redis: a client of arq.
        queue: the Redis key of the queue.
    """

    def __init__(self, redis: ArqRedis, queue: str) -> None:
        self._redis = redis
        self._queue = queue
        self._failing = False

    async def send(self, ready: Sequence[RunRef], *, unanswered: Collection[RunRef] = ()) -> bool:
        """Send a wake-up for each run. Only the first of consecutive failures is logged."""
        if not ready:
            return True
        try:
            await wake_ups.send(self._redis, self._queue, ready, unanswered=unanswered)
        except (RedisError, OSError) as error:
            if not self._failing:
                ids = ", ".join(ref.job_id for ref in ready[:5])
                logger.warning(
                    "wake-ups could not be sent (%s) and will be sent again: %s", ids, error
                )
            self._failing = True
            return False
        self._failing = False
        return True

    async def close(self) -> None:
        """Close the connections to Redis."""
        await self._redis.aclose(close_connection_pool=True)
