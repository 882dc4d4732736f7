import asyncio
import logging
import os
import socket
import time
import uuid

import psycopg
from psycopg.rows import TupleRow

from app.core.process.version import version
from app.core.workers.timing import Timing
from app.db.connection import connect

logger = logging.getLogger(__name__)

Connection = psycopg.AsyncConnection[TupleRow]

_MOVE_TO_NEW_ID = (
    """
    UPDATE runs SET worker_id = %(id)s WHERE state = 'running'
    AND worker_id IN (SELECT id FROM workers WHERE session = %(session)s AND id <> %(id)s)
    """,
    """
    UPDATE schedule_ticks SET worker_id = %(id)s WHERE outcome = 'running'
    AND worker_id IN (SELECT id FROM workers WHERE session = %(session)s AND id <> %(id)s)
    """,
)
"""Move the runs and ticks of a worker to its new id, also from an id whose registration was
cancelled before it was complete."""


class Liveness:
    """The PostgreSQL session by which a worker is alive: it holds a lock and sends heartbeats.

    When the process dies, the operating system closes the socket, PostgreSQL ends the session, and
    the advisory lock is released. The view `worker_liveness` (migration 0005) defines which workers
    are alive.

    The session is a plain psycopg connection, not one of SQLAlchemy's pool: its socket is the sign
    of life, so nothing else may close or replace it.

    Each connection gets a new worker id, so a half-open old session never blocks a new one. The
    runs of the old id move to the new id.

    Args:
        dsn: the address of PostgreSQL. Session locks need a direct connection, without a pooler.
        kind: ``arq`` or ``api``.
        queue: the Redis key of the queue from which the worker reads wake-ups.
        slots: the maximum number of runs that the worker executes at the same time.
        timing: see :class:`Timing`.
    """

    def __init__(
        self,
        dsn: str,
        *,
        kind: str,
        timing: Timing,
        queue: str | None = None,
        slots: int | None = None,
    ) -> None:
        self.session = f"kidney-genetics {kind} {uuid.uuid4().hex[:12]}"
        self.worker_id: int | None = None
        self._holds_executor_lock = False
        self._dsn = dsn
        self._kind = kind
        self._queue = queue
        self._slots = slots
        self._timing = timing
        self._connection: Connection | None = None
        self._settled_at = 0.0

    @property
    def settled(self) -> bool:
        """Whether this worker has been connected for long enough to take over runs."""
        return asyncio.get_running_loop().time() >= self._settled_at

    @property
    def alive(self) -> bool:
        """Whether the session is open, as far as this process knows."""
        return self._connection is not None and not self._connection.closed

    async def connect(self) -> Connection:
        """Return the session, opening a new one under a new worker id if there is none.

        Raises:
            psycopg.OperationalError: PostgreSQL cannot be reached, or another program holds the
                lock of the new id.
        """
        if self._connection is not None and not self._connection.closed:
            return self._connection
        connection: Connection = await connect(self._dsn, session=self.session, autocommit=True)
        try:
            worker_id = await self._register(connection)
        except BaseException:
            await connection.close()
            raise
        self._connection = connection
        reconnected = self.worker_id is not None
        self.worker_id = worker_id
        self._holds_executor_lock = False
        now = asyncio.get_running_loop().time()
        self._settled_at = now + self._timing.settle if reconnected else now
        logger.info("worker %d is alive, pid %d", worker_id, os.getpid())
        return connection

    async def _register(self, connection: Connection) -> int:
        cursor = await connection.execute(
            "INSERT INTO workers (kind, host, pid, session, version, queue, slots,"
            " heartbeat_timeout) VALUES (%s, %s, %s, %s, %s, %s, %s, %s) RETURNING id",
            (
                *(self._kind, socket.gethostname(), os.getpid(), self.session, version()),
                *(self._queue, self._slots, self._timing.stale),
            ),
        )
        row = await cursor.fetchone()
        assert row is not None
        worker_id = int(row[0])
        await self._lock(connection, worker_id)
        if self.worker_id is not None:
            for statement in _MOVE_TO_NEW_ID:
                await connection.execute(statement, {"id": worker_id, "session": self.session})
        return worker_id

    async def _lock(self, connection: Connection, worker_id: int) -> None:
        """Take the worker's advisory lock without waiting; the id is new, so the lock is free.

        The first half of the key is the oid of the table `workers`, so that two installations in
        one database do not share keys.

        Raises:
            psycopg.errors.LockNotAvailable: another program holds a lock with this key.
        """
        cursor = await connection.execute(
            "SELECT pg_try_advisory_lock('workers'::regclass::oid::int, %s)", (worker_id,)
        )
        row = await cursor.fetchone()
        if row is None or not row[0]:
            raise psycopg.errors.LockNotAvailable(
                f"another program holds the advisory lock of worker {worker_id}"
            )

    async def beat(self, loop_lag: float = 0.0) -> None:
        """Record that this worker is alive, by PostgreSQL's clock.

        Args:
            loop_lag: the maximum lag of the event loop over the last heartbeats, in seconds.

        Raises:
            psycopg.OperationalError, TimeoutError: the session is gone; reconnect.
        """
        assert self._connection is not None
        await self._connection.execute(
            "UPDATE workers SET heartbeat_at = clock_timestamp(), loop_lag = %s, clock_ahead ="
            " %s::float8 - extract(epoch FROM clock_timestamp()) WHERE id = %s",
            (loop_lag, time.time(), self.worker_id),
        )

    async def may_execute(self) -> bool:
        """Return whether this process may execute runs itself, without arq.

        Only one process at a time holds the executor's lock. While an arq worker is alive, this
        process leaves the runs to it: the request budgets of arq workers are in Redis, and this
        process cannot see them.

        Raises:
            psycopg.OperationalError: the session is gone.
        """
        if self._connection is None:
            return False
        cursor = await self._connection.execute(
            "SELECT CASE WHEN EXISTS (SELECT FROM workers JOIN worker_liveness USING (id)"
            " WHERE kind = 'arq' AND alive) THEN false"
            " ELSE %s OR pg_try_advisory_lock('runs'::regclass::oid::int, 1) END",
            (self._holds_executor_lock,),
        )
        row = await cursor.fetchone()
        may = row is not None and bool(row[0])
        self._holds_executor_lock = self._holds_executor_lock or may
        return may

    async def drop(self) -> None:
        """Close a session that does not respond."""
        self._settled_at = asyncio.get_running_loop().time() + self._timing.settle
        self._holds_executor_lock = False
        if self._connection is not None:
            connection, self._connection = self._connection, None
            await connection.close()

    async def stop(self) -> None:
        """Record that this worker has stopped, and close the session."""
        if self._connection is None or self._connection.closed:
            return
        try:
            await self._connection.execute(
                "UPDATE workers SET stopped_at = now() WHERE id = %s", (self.worker_id,)
            )
        finally:
            # even a cancelled or failed stop must release the lock
            await self._connection.close()
