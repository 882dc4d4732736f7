"""One connection to PostgreSQL, as everything here opens it."""

from collections.abc import Mapping
from typing import Any

from psycopg import AsyncConnection

from app.db import address
from app.db.times import bound_times

bound_times()

SESSION: Mapping[str, str] = {
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
    "idle_in_transaction_session_timeout": "30s",
    # longer than a frozen worker's transaction is left alone
    "lock_timeout": "60s",
}
"""The server's side of a session: a vanished worker does not go on holding row locks, and nobody
waits for a lock for ever."""

# not by `options`, which the address or PGOPTIONS may have, and which PgBouncer refuses; what these
# two set has the source `client`
_APPLY = """
SELECT set_config(name, (%s::text[])[array_position(%s::text[], name)], false)
FROM pg_settings WHERE name = ANY(%s) AND source <> 'client'
"""


async def connect(
    dsn: str,
    *,
    session: str,
    autocommit: bool = False,
    settings: Mapping[str, str] = SESSION,
    **options: Any,
) -> AsyncConnection[Any]:
    """Open a connection.

    Args:
        dsn: the address: see :mod:`app.db.address`.
        session: ``application_name``.
        autocommit: whether each statement is a transaction of its own.
        settings: of the session, where the address does not set them itself.
        options: what else psycopg takes.

    Raises:
        ValueError: the address is none.
        psycopg.OperationalError: PostgreSQL cannot be reached there.
    """
    connection = await AsyncConnection.connect(
        **{**address.parameters(dsn, session=session), **options}, autocommit=True
    )
    try:
        names = list(settings)
        await connection.execute(_APPLY, (list(settings.values()), names, names))
        await connection.set_autocommit(autocommit)
    except BaseException:
        await connection.close()
        raise
    return connection
