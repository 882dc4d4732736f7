"""Reads the line in which arq's workers report their health."""

import asyncio
import logging

from redis.asyncio import Redis
from redis.exceptions import RedisError

from app.core.redis.pool import new_pool

logger = logging.getLogger(__name__)

HEALTH_CHECK_KEY = "arq:health-check"
"""The Redis key of arq's own health line, one for all workers of a queue."""

HEALTH_LINE_TIMEOUT = 3.0
"""Seconds to wait for arq's health line. Nothing depends on the line."""


async def fetch_health_line(url: str) -> str | None:
    """Connect to the Redis at an address and read the line, see :func:`read_health_line`."""
    redis = Redis(connection_pool=new_pool(url, socket_connect_timeout=HEALTH_LINE_TIMEOUT))
    try:
        return await read_health_line(redis)
    finally:
        await redis.aclose(close_connection_pool=True)


async def read_health_line(redis: Redis | None) -> str | None:
    """Return the line in which arq reports its health.

    None means that arq is not used, that no worker has reported, or that Redis cannot be reached.
    """
    if redis is None:
        return None
    try:
        async with asyncio.timeout(HEALTH_LINE_TIMEOUT):
            line = await redis.get(HEALTH_CHECK_KEY)
    except (RedisError, OSError) as error:
        logger.warning(
            "arq's health line cannot be read, Redis is unavailable: %s", error or "no answer"
        )
        return None
    return None if line is None else line.decode(errors="replace")
