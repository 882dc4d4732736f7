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
"""What workers use together, about once a second. They do without it until the migration ends. The
table of workers is not here, so their heartbeats go on."""

_THERE = text(
    """
    SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = current_schema() AND c.relname = ANY(:names)
    """
)

_LOCK_TIMEOUT = 0.2
"""Seconds. PostgreSQL looks for a deadlock after a second."""

_RETRY_INTERVAL = 0.1
"""Seconds between two tries."""

_TOTAL_TIMEOUT = 60.0
"""Seconds from the first try to the last one."""


def alembic_config() -> Config:
    """Return where Alembic finds the migrations."""
    config = Config()
    # the path is a value of ConfigParser, where a percent sign begins an interpolation
    config.set_main_option("script_location", str(VERSIONS.parent).replace("%", "%%"))
    return config


def upgrade(connection: Connection) -> None:
    """Migrate to the newest version in one transaction. Several processes may do so at once.

    Raises:
        sqlalchemy.exc.OperationalError: with SQLSTATE 55P03, if another migration or a transaction
            that uses one of the tables did not end in time.
    """
    hold(connection, _LOCK)
    if current(connection) not in {None, HEAD}:
        _keep_workers_out(connection)
    config = alembic_config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _keep_workers_out(connection: Connection) -> None:
    """Lock what workers use, all at once.

    A migration locks one table after the other. A worker that has used one of them and waits for
    another one would wait for the migration, and the migration for the worker.
    """
    there = connection.scalars(_THERE, {"names": list(_BUSY)}).all()
    lock = text(f"LOCK TABLE {', '.join(there)} IN ACCESS EXCLUSIVE MODE")
    give_up = time.monotonic() + _TOTAL_TIMEOUT
    while True:
        try:
            # nothing stays locked after a try that fails
            with connection.begin_nested(), waiting_for(connection, _LOCK_TIMEOUT):
                connection.execute(lock)
        except DBAPIError as error:
            if sqlstate(error) != "55P03" or time.monotonic() > give_up:
                raise
            time.sleep(_RETRY_INTERVAL)
        else:
            return
