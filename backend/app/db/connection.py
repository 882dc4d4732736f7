"""Opens connections to PostgreSQL, for all parts of the project."""

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
    # longer than the time for which recovery tolerates the transaction of a frozen worker
    "lock_timeout": "60s",
    # PostgreSQL writes times into JSON itself
    "TimeZone": "UTC",
}
"""Settings of a session on the server. They release the row locks of a worker that has disappeared,
limit the time that a statement waits for a lock, and make the server return times in UTC."""

# The `options` parameter is no alternative: the address or PGOPTIONS may contain it already, and
# PgBouncer rejects it.
_APPLY = "SELECT set_config(name, value, false) FROM unnest(%s::text[], %s::text[]) s (name, value)"

# Keeps the settings from the client's options, which have the source `client`. PostgreSQL lists all
# settings to find them, which takes a third of the time of a connection.
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
        dsn: the address; see :mod:`app.db.address`.
        session: the ``application_name``.
        autocommit: whether each statement is its own transaction.
        settings: settings of the session, unless the address sets them.
        options: further options of psycopg.

    Raises:
        ValueError: the address is invalid.
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
    """Return whether the address or the environment may contain settings of the session."""
    return "options" in connection.info.get_parameters() or "PGTZ" in os.environ
