"""``python -m tests.reliability.asks N``: ask HGNC N times for a gene, as a worker does."""

import asyncio
import sys

from app.annotation.settings import get_settings
from app.annotation.sources import build
from app.annotation.sources.answers import Gene
from app.annotation.upstream import new_http_client
from app.core.arq.client import connect
from app.core.redis.rate_limits import RedisRateLimiter

GENE = Gene(1, "HGNC:1", "A", None, None)


async def main(times: int) -> None:
    settings = get_settings()
    redis = connect(settings.redis_url.get_secret_value(), settings.arq_queue_name)
    async with new_http_client() as http:
        source = build("hgnc", settings, RedisRateLimiter(redis), http)
        for _ in range(times):
            await source.annotate([GENE])
    await redis.aclose(close_connection_pool=True)


asyncio.run(main(int(sys.argv[1])))
