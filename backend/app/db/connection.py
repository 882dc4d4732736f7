"""Opens a connection to PostgreSQL. Everything in this project opens its connections here."""

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
    # longer than recovery leaves the transaction of a frozen worker alone
    "lock_timeout": "60s",
    # PostgreSQL writes times into JSON itself
    "TimeZone": "UTC",
}
"""Settings of a session on the server. A worker that has disappeared does not keep its row locks,
nobody waits for a lock without end, and all times are in UTC."""

# `options` is not used for this: the address or PGOPTIONS may contain it, and PgBouncer refuses it.
# Settings from these two have the source `client` and are kept.
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
        settings: settings of the session, unless the address sets them.
        options: further options of psycopg.

    Raises:
        ValueError: it is not an address.
        psycopg.OperationalError: PostgreSQL cannot be reached.
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
