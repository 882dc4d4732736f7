"""Opens a connection to PostgreSQL. Everything in this project opens its connections here."""

import os
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
_APPLY = "SELECT set_config(name, value, false) FROM unnest(%s::text[], %s::text[]) s (name, value)"

# Settings from the client's options have the source `client` and are kept. PostgreSQL lists all
# settings for that, which takes a third of the time of a connection.
_APPLY_OTHERS = (
    "SELECT set_config(name, value, false) FROM unnest(%s::text[], %s::text[]) s (name, value)"
    " JOIN pg_settings USING (name) WHERE source <> 'client'"
)


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
        apply = _APPLY_OTHERS if _has_options(connection) else _APPLY
        await connection.execute(apply, (list(settings), list(settings.values())))
        await connection.set_autocommit(autocommit)
    except BaseException:
        await connection.close()
        raise
    return connection


def _has_options(connection: AsyncConnection[Any]) -> bool:
    """Whether the address or the environment may contain settings of the session."""
    return "options" in connection.info.get_parameters() or "PGTZ" in os.environ
