"""Connections to PostgreSQL for the checks, without SQLAlchemy: its import takes 0.7 s of two."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from app.doctor.context import PATIENCE, Context

if TYPE_CHECKING:
    from psycopg import AsyncConnection

AT_ONCE = 4
"""Connections of one examination: a query that waits for a lock holds up few others."""

NAME = "kidney-genetics doctor"
"""``application_name`` of these connections."""

LEAST_CONNECT_TIMEOUT = 2
"""Seconds. libpq takes no less (PostgreSQL, "Parameter Key Words", ``connect_timeout``)."""

STATEMENT_TIMEOUT = 2.5
"""Seconds after which PostgreSQL gives up a query of a check."""

Row = Any


def dsn(context: Context) -> str:
    """Return the configured address."""
    return context.settings.database_url.get_secret_value()


def where(context: Context) -> str:
    """Return the configured address as ``host:port/name as user``, without its password."""
    from app.db import address

    return address.where(dsn(context))


class _Pool:
    """Connections that are closed when nobody uses any."""

    def __init__(self) -> None:
        self.users = 0
        self.room = asyncio.Semaphore(AT_ONCE)
        self.free: list[AsyncConnection[Row]] = []


_pools: WeakKeyDictionary[Context, _Pool] = WeakKeyDictionary()


async def connect(context: Context) -> "AsyncConnection[Row]":
    """Open a connection of one's own, in autocommit; rows have the columns as attributes.

    Raises:
        psycopg.OperationalError: it cannot be opened.
    """
    from psycopg.rows import namedtuple_row

    from app.db.connection import connect as open_connection

    return await open_connection(
        dsn(context),
        session=NAME,
        # in milliseconds
        settings={"statement_timeout": str(round(1_000 * context.within(STATEMENT_TIMEOUT)))},
        autocommit=True,
        prepare_threshold=None,
        row_factory=namedtuple_row,
        connect_timeout=max(LEAST_CONNECT_TIMEOUT, round(context.within(PATIENCE))),
    )


@asynccontextmanager
async def connection(context: Context) -> "AsyncIterator[AsyncConnection[Row]]":
    """Borrow one of the connections that the checks share.

    Raises:
        psycopg.OperationalError: it cannot be opened.
    """
    pool = _pools.setdefault(context, _Pool())
    pool.users += 1
    try:
        async with pool.room:
            borrowed = pool.free.pop() if pool.free else await connect(context)
            try:
                yield borrowed
            except BaseException:
                await borrowed.close()
                raise
            pool.free.append(borrowed)
    finally:
        pool.users -= 1
        if not pool.users:
            while pool.free:
                await pool.free.pop().close()


async def rows(context: Context, query: str, values: Mapping[str, Any] | None = None) -> list[Row]:
    """Run one query and return its rows.

    Raises:
        psycopg.Error: it fails, or takes longer than the checks' patience.
    """
    async with connection(context) as borrowed:
        cursor = await borrowed.execute(query.encode(), values)
        return await cursor.fetchall()


async def row(context: Context, query: str, values: Mapping[str, Any] | None = None) -> Row:
    """Run a query that gives one row, and return that."""
    return (await rows(context, query, values))[0]
