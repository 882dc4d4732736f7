"""Finds out whether two installations use the same Redis database.

The keys of arq and of the request budgets do not carry the name of an installation, so each
installation needs a Redis database of its own. Its workers keep a key there, the mark, for as long
as one of them lives.
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
"""Identifies an installation: by its server, its database and the schema of its tables."""

REMEDY = (
    "give each installation a database of its own, as in REDIS_URL=redis://host:6379/1, or a Redis"
    " server of its own; then restart its workers and its API"
)


class Mark(msgspec.Struct, frozen=True):
    """The value of the key: the installation, and for people its database and a worker's host."""

    id: str
    database: str
    host: str

    def __str__(self) -> str:
        return f"the one with the PostgreSQL database {self.database} and a worker on {self.host}"


async def identify(db: AsyncEngine) -> Mark | None:
    """Return this installation's mark; wait until PostgreSQL is available.

    None means that this role of PostgreSQL may not read what identifies the installation.
    """
    while True:
        try:
            async with db.connect() as connection:
                row = (await connection.execute(text(IDENTITY))).one()
        except DBAPIError as error:
            if not unavailable.is_unavailable(error):
                logger.info("cannot check whether Redis is shared: %s", error.orig)
                return None
            logger.warning("PostgreSQL is unavailable, retrying: %s", error.orig)
            await asyncio.sleep(1)
        else:
            return Mark(row.id, row.database, socket.gethostname())


def read(raw: Any) -> Mark | None:
    """Decode a mark; return None if the value is not one."""
    try:
        return msgspec.json.decode(raw or b"", type=Mark)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


async def put(redis: Redis, mine: Mark) -> Mark | None:
    """Set or renew this installation's mark; if there is another's, leave and return it."""
    content = msgspec.json.encode(mine)
    try:
        there = read(await redis.get(KEY))
    except ResponseError as error:
        if retry.is_unavailable(error):
            raise
        # the key is of another type, and is overwritten
        there = None
    if there is not None and there.id != mine.id:
        return there
    await redis.set(KEY, content, ex=MARK_TTL)
    return None


async def claim(redis: Redis, mine: Mark) -> None:
    """Set the mark when a worker starts. The mark of a worker that has gone expires meanwhile.

    Raises:
        UserError: workers of another installation use this Redis database.
    """
    for second in range(MARK_TTL + 2):
        try:
            other = await put(redis, mine)
        except NoPermissionError as error:
            logger.warning("cannot check whether Redis is shared: %s", error)
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


async def keep(redis: Redis, mine: Mark) -> None:
    """Renew the mark for as long as this worker lives; log an error if there is another's."""
    logged = False
    while True:
        await asyncio.sleep(RENEWAL_INTERVAL)
        try:
            other = await put(redis, mine)
        except NoPermissionError:
            return
        except (RedisError, OSError):
            # other commands log that Redis is unavailable
            continue
        if other is not None and not logged:
            logger.error("another installation uses this Redis database: %s; %s", other, REMEDY)
        logged = other is not None


async def log_if_shared(redis: Redis, mine: Mark | None) -> None:
    """Log an error if workers of another installation use this Redis database."""
    other = read(await redis.get(KEY))
    if mine is not None and other is not None and other.id != mine.id:
        logger.error("another installation uses this Redis database: %s; %s", other, REMEDY)


async def refuse_cluster(redis: Redis) -> None:
    """Make sure that this is not a Redis Cluster.

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
