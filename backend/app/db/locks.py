"""Advisory locks, which are held until the end of a transaction or of a session.

Advisory locks are shared by the whole database, which may contain the tables of several
installations, each in its own schema. So the first half of a lock's key identifies the
installation: it is the OID of a table, or of the schema if there is no table yet.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection, text

logger = logging.getLogger(__name__)


_OWNER = text(
    """
    SELECT coalesce(CAST(to_regclass(:table) AS oid),
      (SELECT oid FROM pg_namespace WHERE nspname = current_schema()))
    """
)

_TRY = text("SELECT pg_try_advisory_xact_lock(CAST(CAST(:owner AS oid) AS int), :number)")

_KEEP = text("SELECT pg_try_advisory_lock(CAST(CAST(:owner AS oid) AS int), :number)")

_WAIT = text("SELECT pg_advisory_xact_lock(CAST(CAST(:owner AS oid) AS int), :number)")

_HOLDER = text(
    """
    SELECT string_agg(format('%s (pid %s)', a.application_name, a.pid), ', ')
    FROM pg_locks l JOIN pg_stat_activity a USING (pid)
    WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2
      AND l.classid = CAST(:owner AS oid) AND l.objid = :number
    """
)

_TIMEOUT = text("SELECT current_setting('lock_timeout')")

_SET_TIMEOUT = text("SELECT set_config('lock_timeout', :timeout, true)")


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock on an activity that only one session at a time may perform.

    Attributes:
        purpose: the activity, for the log.
        table: the table that the lock belongs to; None means the schema.
        number: distinguishes the locks of one table or schema.
        timeout: seconds to wait for the lock.

    Raises:
        ValueError: the table is `workers`. A lock on this table with a number shows that the worker
            with this id is alive.
    """

    purpose: str
    table: str | None
    number: int
    timeout: float

    def __post_init__(self) -> None:
        if self.table == "workers":
            message = f"the lock for {self.purpose} would be the lock of worker {self.number}"
            raise ValueError(message)


def owner_of(connection: Connection, lock: Lock) -> int:
    """Return the first half of a lock's key."""
    owner: int = connection.scalar(_OWNER, {"table": lock.table})
    return owner


def try_hold(connection: Connection, lock: Lock) -> bool:
    """Acquire a lock until the end of the transaction; return False if another session holds it."""
    owner = owner_of(connection, lock)
    return bool(connection.scalar(_TRY, {"owner": owner, "number": lock.number}))


def keep(connection: Connection, lock: Lock) -> bool:
    """Acquire a lock until the end of the session; return False if another session holds it.

    Only the end of the session releases the lock. So close the connection, and do not return it to
    a pool.
    """
    owner = owner_of(connection, lock)
    return bool(connection.scalar(_KEEP, {"owner": owner, "number": lock.number}))


@contextmanager
def waiting_for(connection: Connection, seconds: float) -> Iterator[None]:
    """Limit the time that statements wait for locks. A statement that waits longer raises 55P03.

    Args:
        connection: a connection in a transaction. If a statement fails, the limit ends with the
            transaction.
        seconds: the limit.
    """
    # SET ... TO DEFAULT would restore the server's setting, which is no timeout
    former = connection.scalar(_TIMEOUT)
    connection.execute(_SET_TIMEOUT, {"timeout": f"{seconds * 1000:.0f}ms"})
    yield
    connection.execute(_SET_TIMEOUT, {"timeout": former})


def hold(connection: Connection, lock: Lock) -> None:
    """Acquire a lock until the end of the transaction, and wait for it if necessary.

    Raises:
        sqlalchemy.exc.OperationalError: with SQLSTATE 55P03, the lock was not free in time.
    """
    owner = owner_of(connection, lock)
    key = {"owner": owner, "number": lock.number}
    if connection.scalar(_TRY, key):
        return
    logger.warning(
        "waiting for %s (at most %g s), whose lock is held by %s",
        lock.purpose,
        lock.timeout,
        connection.scalar(_HOLDER, key) or "a session that has just ended",
    )
    with waiting_for(connection, lock.timeout):
        connection.execute(_WAIT, key)
