"""Advisory locks that are held until the end of a transaction.

Such locks belong to a database, and a database may hold the tables of several installations, each
in a schema of its own. The first half of a lock's key says whose it is: the OID of a table, or of
the schema where there is no table yet.
"""

import logging
from dataclasses import dataclass

from sqlalchemy import Connection, text

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Lock:
    """What one session does at a time.

    Attributes:
        purpose: what it is, in the log.
        of: an SQL expression: the OID of the table or schema that it belongs to.
        number: tells it from others of the same.
        patience: seconds to wait for it.
    """

    purpose: str
    of: str
    number: int
    patience: float


def hold(connection: Connection, lock: Lock) -> None:
    """Take a lock until the end of the transaction.

    Raises:
        sqlalchemy.exc.OperationalError: with the SQLSTATE 55P03 when it was not free in time.
    """
    key = f"(({lock.of})::int, {lock.number})"
    if connection.scalar(text(f"SELECT pg_try_advisory_xact_lock{key}")):
        return
    holder = connection.scalar(
        text(
            "SELECT string_agg(format('%s (pid %s)', a.application_name, a.pid), ', ')"
            " FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE l.locktype = 'advisory'"
            f" AND l.granted AND l.objsubid = 2 AND l.classid = ({lock.of}) AND l.objid = :number"
        ),
        {"number": lock.number},
    )
    logger.warning(
        "waiting for %s, for at most %g s: its lock is held by %s",
        lock.purpose,
        lock.patience,
        holder or "a session that has just ended",
    )
    connection.execute(
        text("SELECT set_config('lock_timeout', :limit, true)"),
        {"limit": f"{lock.patience * 1000:.0f}ms"},
    )
    connection.execute(text(f"SELECT pg_advisory_xact_lock{key}"))
    connection.execute(text("SET LOCAL lock_timeout TO DEFAULT"))
