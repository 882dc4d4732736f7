"""Detects that two installations use the same Redis database.

The keys of arq and of the request budgets do not contain the name of an installation, so each
installation needs a Redis database of its own. The workers of an installation renew a key there,
the mark, while one of them is alive.
"""

import asyncio
import logging
import socket
from typing import Any

import msgspec
from redis.asyncio import Redis
from redis.exceptions import NoPermissionError, RedisError, ResponseError
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.errors import START_SERVERS, UserError
from app.core.postgres import unavailable
from app.core.redis import retry

logger = logging.getLogger(__name__)

KEY = "kidney_genetics:installation"

MARK_TTL = 15
"""Seconds after which the mark expires if no worker renews it."""

RENEWAL_INTERVAL = 5.0
"""Seconds between two renewals."""

IDENTITY = """
SELECT system_identifier || ':' || d.oid || ':' || 'runs'::regclass::oid AS id,
  current_database() AS database
FROM pg_control_system(), pg_database d WHERE d.datname = current_database()
"""
"""Identifies an installation by its PostgreSQL server, its database and the table `runs`."""

REMEDY = (
    "give each installation a database of its own, as in REDIS_URL=redis://host:6379/1, or a Redis"
    " server of its own; then restart its workers and its API"
)


class Mark(msgspec.Struct, frozen=True):
    """The value of the key: the installation's id and, for people, its database and a host."""

    id: str
    database: str
    host: str

    def __str__(self) -> str:
        return f"the one with the PostgreSQL database {self.database} and a worker on {self.host}"


async def identify(db: AsyncEngine) -> Mark | None:
    """Return this installation's mark, after waiting until PostgreSQL is available.

    Returns:
        The mark; None if the PostgreSQL role lacks the privilege to identify its server.
    """
    while True:
        try:
            async with db.connect() as connection:
                row = (await connection.execute(text(IDENTITY))).one()
        except DBAPIError as error:
            if not unavailable.is_unavailable(error):
                logger.info(
                    "cannot check whether another installation uses this Redis database: %s",
                    error.orig,
                )
                return None
            logger.warning("PostgreSQL is unavailable; retrying in 1 s: %s", error.orig)
            await asyncio.sleep(1)
        else:
            return Mark(row.id, row.database, socket.gethostname())


def read(raw: Any) -> Mark | None:
    """Decode a mark; return None if the value is not a mark."""
    try:
        return msgspec.json.decode(raw or b"", type=Mark)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


async def put(redis: Redis, mark: Mark) -> Mark | None:
    """Set or renew this installation's mark. Return another installation's mark if there is one."""
    content = msgspec.json.encode(mark)
    try:
        present = read(await redis.get(KEY))
    except ResponseError as error:
        if retry.is_unavailable(error):
            raise
        # the key has another type, and is overwritten
        present = None
    if present is not None and present.id != mark.id:
        return present
    await redis.set(KEY, content, ex=MARK_TTL)
    return None


async def claim(redis: Redis, mark: Mark) -> None:
    """Set the mark at the start of a worker. Wait until the mark of a dead worker has expired.

    Raises:
        UserError: workers of another installation use this Redis database.
    """
    for second in range(MARK_TTL + 2):
        try:
            other = await put(redis, mark)
        except NoPermissionError as error:
            logger.warning(
                "cannot check whether another installation uses this Redis database: %s", error
            )
            return
        if other is None:
            return
        if not second:
            logger.warning(
                "waiting for the mark of another installation to expire: %s",
                other,
            )
        await asyncio.sleep(1)
    raise UserError(
        f"another installation uses this Redis database: {other}",
        allowed="one installation per Redis database, because its keys do not name one",
        remedy=REMEDY,
    )


async def keep(redis: Redis, mark: Mark) -> None:
    """Renew the mark until cancelled. Log an error if another installation's mark is there."""
    logged = False
    while True:
        await asyncio.sleep(RENEWAL_INTERVAL)
        try:
            other = await put(redis, mark)
        except NoPermissionError:
            return
        except (RedisError, OSError):
            # other commands log an unavailable Redis
            continue
        if other is not None and not logged:
            logger.error("another installation uses this Redis database: %s; %s", other, REMEDY)
        logged = other is not None


async def log_if_shared(redis: Redis, mark: Mark | None) -> None:
    """Log an error if workers of another installation use this Redis database."""
    other = read(await redis.get(KEY))
    if mark is not None and other is not None and other.id != mark.id:
        logger.error("another installation uses this Redis database: %s; %s", other, REMEDY)


async def refuse_cluster(redis: Redis) -> None:
    """Check that Redis is not a Redis Cluster.

    Raises:
        UserError: this is a Redis Cluster, which arq cannot use.
    """
    try:
        mode = (await redis.info("server")).get("redis_mode")
    except NoPermissionError:
        return
    if mode == "cluster":
        raise UserError(
            "this is a Redis Cluster, which arq cannot use: arq changes several keys of a job"
            " together, and a cluster keeps them on different servers",
            allowed="one Redis server, or several with Sentinel",
            remedy="set the address of such a server as REDIS_URL in .env, or start one",
            steps=(START_SERVERS,),
        )
