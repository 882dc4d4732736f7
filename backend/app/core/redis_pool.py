from typing import Any

from redis.asyncio import BlockingConnectionPool, ConnectionPool
from redis.asyncio.connection import parse_url
from redis.asyncio.sentinel import (
    Sentinel,
    SentinelConnectionPool,
    SentinelManagedConnection,
    SentinelManagedSSLConnection,
)

from app.core.redis_url import Sentinels, sentinels

MOST_CONNECTIONS = 20
"""Of one pool."""


class _SentinelPool(SentinelConnectionPool):
    """Connections to whichever server the sentinels name; they are asked anew for each one."""

    async def disconnect(self, inuse_connections: bool = True) -> None:  # noqa: FBT001, FBT002 - redis-py's signature
        """Close the connections, and when all are closed those to the sentinels, too."""
        await super().disconnect(inuse_connections)
        if inuse_connections:
            for each in self.sentinel_manager.sentinels:
                await each.aclose()


def new_pool(url: str, **options: Any) -> ConnectionPool:
    """Create a pool of connections to the Redis that a URL names.

    Args:
        url: see `redis_url`.
        options: of each connection, as redis-py calls them.

    Raises:
        ValueError: the URL is not of that form.
    """
    known = sentinels(url)
    if known is None:
        return BlockingConnectionPool.from_url(
            url, max_connections=MOST_CONNECTIONS, timeout=20, **options
        )
    return _sentinel_pool(known, options)


def _sentinel_pool(known: Sentinels, options: dict[str, Any]) -> ConnectionPool:
    kwargs: dict[str, Any] = dict(parse_url(known.url))
    tls = kwargs.pop("connection_class", None) is not None
    for name in ("host", "port"):
        kwargs.pop(name, None)
    secured = {name: value for name, value in kwargs.items() if name.startswith("ssl_")}
    timeouts = {name: value for name, value in options.items() if name.startswith("socket_")}
    manager = Sentinel(
        known.hosts, sentinel_kwargs={**known.login, **secured, **timeouts, "ssl": tls}
    )  # type: ignore[no-untyped-call]
    return _SentinelPool(
        known.service,
        manager,
        connection_class=SentinelManagedSSLConnection if tls else SentinelManagedConnection,
        # unlike the other pool it does not wait for a free one
        max_connections=10 * MOST_CONNECTIONS,
        **kwargs,
        **options,
    )  # type: ignore[no-untyped-call]
