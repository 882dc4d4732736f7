import asyncio
import logging

from redis.asyncio import Redis
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

HEALTH_CHECK_KEY = "arq:health-check"
"""Where arq's own health line is, one for all workers of a queue."""

HEALTH_LINE_TIMEOUT = 3.0
"""Seconds to wait for arq's health line, which is a courtesy."""


async def read_health_line(redis: Redis | None) -> str | None:
    """Return the line with which arq reports its health, or None when there is none to be had."""
    if redis is None:
        return None
    try:
        async with asyncio.timeout(HEALTH_LINE_TIMEOUT):
            line = await redis.get(HEALTH_CHECK_KEY)
    except (RedisError, OSError) as error:
        logger.warning("Redis is away: %s", error or "no answer")
        return None
    return None if line is None else line.decode(errors="replace")
