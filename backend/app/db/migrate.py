"""Migrates the tables to the version that this code needs."""

import time

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from app.db.locks import Lock, hold, waiting_for
from app.db.revisions import HEAD, VERSIONS, current
from app.db.sqlstate import sqlstate

_LOCK = Lock("another migration", table=None, number=1, timeout=300)
"""Only one migration runs at a time."""

_BUSY = (
    *("ready_runs", "due_schedules", "due_ticks", "ready_ticks"),
    *("runs", "run_sources", "run_events", "attempt_logs", "schedules", "schedule_ticks"),
)
"""The tables that all workers use about once a second, and that a migration locks. The table of the
workers is not among them, so that heartbeats continue during a migration."""

_EXISTING = text(
    """
    SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = current_schema() AND c.relname = ANY(:names)
    """
)

_LOCK_TIMEOUT = 0.2
"""Seconds to wait for the locks in one try. PostgreSQL checks for a deadlock after one second."""

_RETRY_INTERVAL = 0.1
"""Seconds between two tries."""

_TOTAL_TIMEOUT = 60.0
"""Seconds after which a failed try is the last one."""


def alembic_config() -> Config:
    """Return the configuration of Alembic, with the path of the migrations."""
    config = Config()
    # Alembic stores the path in a ConfigParser, where a percent sign begins an interpolation
    config.set_main_option("script_location", str(VERSIONS.parent).replace("%", "%%"))
    return config


def upgrade(connection: Connection) -> None:
    """Migrate to the newest version in one transaction. Several processes may call this at once.

    Raises:
        sqlalchemy.exc.OperationalError: with SQLSTATE 55P03, another migration or a transaction
            that uses one of the tables did not end in time.
    """
    hold(connection, _LOCK)
    if current(connection) not in {None, HEAD}:
        _keep_workers_out(connection)
    config = alembic_config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _keep_workers_out(connection: Connection) -> None:
    """Lock all tables that workers share at once, which prevents a deadlock with a worker.

    A migration locks one table after another. Without this lock, a worker that uses one of the
    tables could wait for another one that the migration holds, while the migration waits for the
    first one.
    """
    existing = connection.scalars(_EXISTING, {"names": list(_BUSY)}).all()
    lock = text(f"LOCK TABLE {', '.join(existing)} IN ACCESS EXCLUSIVE MODE")
    deadline = time.monotonic() + _TOTAL_TIMEOUT
    while True:
        try:
            # the savepoint releases the locks of a failed try
            with connection.begin_nested(), waiting_for(connection, _LOCK_TIMEOUT):
                connection.execute(lock)
        except DBAPIError as error:
            if sqlstate(error) != "55P03" or time.monotonic() > deadline:
                raise
            time.sleep(_RETRY_INTERVAL)
        else:
            return
