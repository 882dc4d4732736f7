from typing import Any

from sqlalchemy import URL, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from app.db.times import bound_times

bound_times()

KEEPALIVES = {
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
}
"""libpq's connection options: a peer that went silent is noticed after some 11 seconds."""

SESSION = {
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
    "idle_in_transaction_session_timeout": "30s",
}
"""The same on the server's side, so that a vanished worker does not go on holding row locks."""


def psycopg_url(dsn: str) -> URL:
    """Turn ``postgresql://…``, as every guide writes it, into an address for psycopg 3.

    Raises:
        sqlalchemy.exc.ArgumentError: when it is no address at all.
    """
    return make_url(dsn).set(drivername="postgresql+psycopg")


def libpq_dsn(dsn: str) -> str:
    """Return the same address as libpq takes it, for a connection outside the pool."""
    return psycopg_url(dsn).set(drivername="postgresql").render_as_string(hide_password=False)


def connect_args(session: str) -> dict[str, Any]:
    """Return what every connection of one process is opened with.

    Args:
        session: ``application_name``, by which recovery finds a dead worker's sessions.
    """
    options = " ".join(f"-c {key}={value}" for key, value in SESSION.items())
    return {"application_name": session, "options": options, "connect_timeout": 5, **KEEPALIVES}


def create_engine(
    dsn: str, *, session: str, pool_size: int = 5, pool_timeout: float = 30.0
) -> AsyncEngine:
    """Create an engine; it connects when first used.

    Args:
        dsn: ``postgresql://user:password@host:5432/name``.
        session: ``application_name`` of its connections.
        pool_size: connections kept open, and the most that are used at once.
        pool_timeout: seconds to wait for one of them when all are in use.
    """
    return create_async_engine(
        psycopg_url(dsn),
        connect_args=connect_args(session),
        pool_size=pool_size,
        pool_timeout=pool_timeout,
        max_overflow=0,
        pool_pre_ping=True,
    )
