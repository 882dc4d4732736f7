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
    """Convert an address to a URL of SQLAlchemy.

    Raises:
        ValueError: the address is invalid.
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
    # SQLAlchemy's own conversion does not escape spaces
    others = {name: str(value) for name, value in url.query.items()}
    return make_conninfo("", **(named | others))


def create_engine(
    dsn: str, *, session: str, pool_size: int = 5, pool_timeout: float = 30.0
) -> AsyncEngine:
    """Create an engine, which connects on first use.

    Args:
        dsn: the address; see :mod:`app.db.address`.
        session: the ``application_name`` of the connections.
        pool_size: the number of connections that stay open, which is also the maximum.
        pool_timeout: seconds to wait for a connection when all are in use.

    Raises:
        ValueError: the address is invalid.
    """
    db = create_async_engine(
        psycopg_url(dsn),
        async_creator=partial(connect, dsn, session=session),
        # no column has this type; with it, each engine would query the server for the type
        use_native_hstore=False,
        pool_size=pool_size,
        pool_timeout=pool_timeout,
        max_overflow=0,
    )
    event.listen(db.sync_engine, "checkout", _replace_closed)
    return db


def _replace_closed(adapted: Any, record: Any, proxy: Any) -> None:
    """Replace a connection that the server has closed while it was idle in the pool.

    The only message that the server sends to an idle connection is that it ends the connection. So
    there is unread input only if the connection has ended. SQLAlchemy's alternative,
    `pool_pre_ping`, costs a round trip before each use.
    """
    del record, proxy
    connection = adapted.driver_connection
    if connection.closed or _has_input(connection.fileno()):
        raise DisconnectionError


def _has_input(fileno: int) -> bool:
    poll = select.poll()
    poll.register(fileno, select.POLLIN)
    return bool(poll.poll(0))
