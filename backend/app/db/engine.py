import select
from functools import partial
from typing import Any

from psycopg.conninfo import make_conninfo
from sqlalchemy import URL, event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from app.db import address
from app.db.connection import connect


def psycopg_url(dsn: str) -> URL:
    """Return an address as an URL of SQLAlchemy.

    Raises:
        ValueError: it is not an address.
    """
    given = address.parse(dsn)
    user, password, name = (given.pop(key, None) for key in ("user", "password", "dbname"))
    url = URL.create("postgresql+psycopg", user, password, database=name)
    host, port = given.get("host", ""), given.get("port", "")
    if not {",", "/"} & {*host, *port}:
        given = {key: value for key, value in given.items() if key not in {"host", "port"}}
        url = url.set(host=host or None, port=int(port) if port else None)
    return url.set(query=given)


def dsn_of(db: AsyncEngine) -> str:
    """Return the address of an engine, with its password."""
    url = db.url
    named = {
        "user": url.username,
        "password": url.password,
        "host": url.host,
        "port": url.port,
        "dbname": url.database,
    }
    # SQLAlchemy's own form does not escape spaces
    others = {name: str(value) for name, value in url.query.items()}
    return make_conninfo("", **(named | others))


def create_engine(
    dsn: str, *, session: str, pool_size: int = 5, pool_timeout: float = 30.0
) -> AsyncEngine:
    """Create an engine. It connects when it is first used.

    Args:
        dsn: see :mod:`app.db.address`.
        session: ``application_name`` of its connections.
        pool_size: the number of connections that are kept open, which is also the maximum.
        pool_timeout: seconds to wait for a connection when all are in use.

    Raises:
        ValueError: it is not an address.
    """
    db = create_async_engine(
        psycopg_url(dsn),
        async_creator=partial(connect, dsn, session=session),
        # no column has this type, for which each engine would ask the server
        use_native_hstore=False,
        pool_size=pool_size,
        pool_timeout=pool_timeout,
        max_overflow=0,
    )
    event.listen(db.sync_engine, "checkout", _replace_closed)
    return db


def _replace_closed(adapted: Any, record: Any, proxy: Any) -> None:
    """Replace a connection that the server has closed while nobody used it.

    The server says nothing to an idle connection but that it ends it. So there is something to read
    only if the connection has ended. To ask the server instead, as SQLAlchemy's `pool_pre_ping`
    does, takes a round trip before each use.
    """
    del record, proxy
    connection = adapted.driver_connection
    if connection.closed or _has_input(connection.fileno()):
        raise DisconnectionError


def _has_input(fileno: int) -> bool:
    poll = select.poll()
    poll.register(fileno, select.POLLIN)
    return bool(poll.poll(0))
