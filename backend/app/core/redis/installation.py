"""Whose a Redis database is: arq's keys carry no name, so each installation needs one of its own.

The workers of an installation keep a mark there for as long as one of them lives.
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

STAYS = 15
"""Seconds for which a mark outlives the last worker that has renewed it."""

RENEWED = 5.0
"""Seconds between two renewals."""

IDENTITY = """
SELECT system_identifier || ':' || d.oid || ':' || 'runs'::regclass::oid AS id,
  current_database() AS database
FROM pg_control_system(), pg_database d WHERE d.datname = current_database()
"""
"""The tables of one schema of one database of one server: they are what an installation is."""

REMEDY = (
    "give each installation a database of its own, as in REDIS_URL=redis://host:6379/1, or a Redis"
    " server of its own; then restart its workers and its API"
)


class Mark(msgspec.Struct, frozen=True):
    """What stands in Redis: an installation, and where its worker is, for people to read."""

    id: str
    database: str
    host: str

    def __str__(self) -> str:
        return (
            f"the one with the PostgreSQL database {self.database}, a worker of it on {self.host}"
        )


async def identify(db: AsyncEngine) -> Mark | None:
    """Return this installation's mark, once PostgreSQL answers; None where it does not tell."""
    while True:
        try:
            async with db.connect() as connection:
                row = (await connection.execute(text(IDENTITY))).one()
        except DBAPIError as error:
            if not unavailable.is_unavailable(error):
                logger.info("this installation cannot be told from others: %s", error.orig)
                return None
            logger.warning("PostgreSQL is away, it is asked again: %s", error.orig)
            await asyncio.sleep(1)
        else:
            return Mark(row.id, row.database, socket.gethostname())


def read(raw: Any) -> Mark | None:
    """Return a mark; None for what is none."""
    try:
        return msgspec.json.decode(raw or b"", type=Mark)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


async def put(redis: Redis, mine: Mark) -> Mark | None:
    """Put or renew this installation's mark; another's is left, and returned."""
    content = msgspec.json.encode(mine)
    try:
        there = read(await redis.get(KEY))
    except ResponseError as error:
        if retry.is_unavailable(error):
            raise
        # a key of another type
        there = None
    if there is not None and there.id != mine.id:
        return there
    await redis.set(KEY, content, ex=STAYS)
    return None


async def claim(redis: Redis, mine: Mark) -> None:
    """Put the mark at the start of a worker; that of workers which have gone is waited out.

    Raises:
        UserError: workers of another installation use this Redis database.
    """
    for second in range(STAYS + 2):
        try:
            other = await put(redis, mine)
        except NoPermissionError as error:
            logger.warning("it is not known whether this Redis is shared: %s", error)
            return
        if other is None:
            return
        if not second:
            logger.warning("another installation was in this Redis database: %s", other)
        await asyncio.sleep(1)
    raise UserError(
        f"another installation uses this Redis database: {other}",
        allowed="one installation in a Redis database: jobs and budgets carry no name",
        remedy=REMEDY,
    )


async def keep(redis: Redis, mine: Mark) -> None:
    """Renew the mark for as long as this worker lives, and tell when another's is there."""
    told = False
    while True:
        await asyncio.sleep(RENEWED)
        try:
            other = await put(redis, mine)
        except NoPermissionError:
            return
        except (RedisError, OSError):
            # others say that Redis is away
            continue
        if other is not None and not told:
            logger.error("another installation uses this Redis database: %s; %s", other, REMEDY)
        told = other is not None


async def tell_if_shared(redis: Redis, mine: Mark | None) -> None:
    """Log it when workers of another installation use this Redis database."""
    other = read(await redis.get(KEY))
    if mine is not None and other is not None and other.id != mine.id:
        logger.error("another installation uses this Redis database: %s; %s", other, REMEDY)


async def refuse_cluster(redis: Redis) -> None:
    """Make sure that Redis is no Redis Cluster.

    Raises:
        UserError: it is one.
    """
    try:
        mode = (await redis.info("server")).get("redis_mode")
    except NoPermissionError:
        return
    if mode == "cluster":
        raise UserError(
            "this is a Redis Cluster, which arq cannot use: the keys of one job are changed"
            " together, and a cluster keeps them on several servers",
            allowed="one Redis server, or several under Sentinel",
            remedy="set REDIS_URL in .env to such a server, or start one",
            steps=(START_SERVERS,),
        )
