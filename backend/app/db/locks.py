"""Advisory locks that are held until the end of a transaction.

Advisory locks belong to a database, and a database may contain the tables of several installations,
each in its own schema. The first half of a lock's key identifies the installation: it is the OID of
a table, or of the schema if there is no table yet.
"""

import logging
from dataclasses import dataclass

from sqlalchemy import Connection, text

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock on an activity that only one session may do at a time.

    Attributes:
        purpose: the activity, for the log.
        of: an SQL expression for the OID of the table or schema that the lock belongs to.
        number: distinguishes the locks of one table or schema.
        timeout: seconds to wait for the lock.
    """

    purpose: str
    of: str
    number: int
    timeout: float


def hold(connection: Connection, lock: Lock) -> None:
    """Take a lock until the end of the transaction.

    Raises:
        sqlalchemy.exc.OperationalError: with SQLSTATE 55P03, if the lock was not free in time.
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
        lock.timeout,
        holder or "a session that has just ended",
    )
    connection.execute(
        text("SELECT set_config('lock_timeout', :limit, true)"),
        {"limit": f"{lock.timeout * 1000:.0f}ms"},
    )
    connection.execute(text(f"SELECT pg_advisory_xact_lock{key}"))
    connection.execute(text("SET LOCAL lock_timeout TO DEFAULT"))
