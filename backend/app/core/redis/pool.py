"""Creates connection pools for Redis."""

from typing import Any

from redis.asyncio import (
    BlockingConnectionPool,
    Connection,
    ConnectionPool,
    SSLConnection,
    UnixDomainSocketConnection,
)
from redis.asyncio.sentinel import (
    Sentinel,
    SentinelConnectionPool,
    SentinelManagedConnection,
    SentinelManagedSSLConnection,
)

from app.core.redis.address import RedisAddress, parse

MAX_CONNECTIONS = 20
"""The maximum number of connections of one pool."""


class _SentinelPool(SentinelConnectionPool):
    """Connections to the primary, which each new connection looks up at the sentinels."""

    async def disconnect(self, inuse_connections: bool = True) -> None:  # noqa: FBT001, FBT002 - redis-py's signature
        """Close the connections. If those in use are closed too, also close the sentinels'."""
        await super().disconnect(inuse_connections)
        if inuse_connections:
            for sentinel in self.sentinel_manager.sentinels:
                await sentinel.aclose()


def new_pool(url: str, **options: Any) -> ConnectionPool:
    """Create a connection pool for the Redis at an address.

    Args:
        url: the address of Redis, see `REDIS_URL`.
        options: arguments of each connection, with redis-py's names. Parameters in the URL take
            precedence.

    Raises:
        ValueError: the URL is invalid.
    """
    return pool_of(parse(url), **options)


def pool_of(known: RedisAddress, **options: Any) -> ConnectionPool:
    """Create a connection pool for a parsed address, see :func:`new_pool`."""
    if known.service is not None:
        return _sentinel_pool(known, known.service, options)
    where: dict[str, Any]
    if known.path is not None:
        where = {"connection_class": UnixDomainSocketConnection, "path": known.path}
    else:
        ((host, port),) = known.hosts
        kind = SSLConnection if known.tls else Connection
        where = {"connection_class": kind, "host": host, "port": port}
    arguments = options | where | known.login | known.options
    if known.path is not None:
        # redis-py's connection to a Unix socket has no such argument
        arguments.pop("socket_keepalive", None)
    return BlockingConnectionPool(
        max_connections=MAX_CONNECTIONS, timeout=20, db=known.database, **arguments
    )


def _sentinel_pool(known: RedisAddress, service: str, options: dict[str, Any]) -> ConnectionPool:
    secured = {name: value for name, value in known.options.items() if name.startswith("ssl_")}
    both = options | known.options
    timeouts = {name: value for name, value in both.items() if name.startswith("socket_")}
    login = known.sentinel_login
    manager = Sentinel(
        known.hosts, sentinel_kwargs={**login, **secured, **timeouts, "ssl": known.tls}
    )  # type: ignore[no-untyped-call]
    return _SentinelPool(
        service,
        manager,
        connection_class=SentinelManagedSSLConnection if known.tls else SentinelManagedConnection,
        # unlike the other pool, it raises an error instead of waiting for a free connection
        max_connections=10 * MAX_CONNECTIONS,
        db=known.database,
        **(both | known.login),
    )  # type: ignore[no-untyped-call]
