"""Migrates the tables to the version that this code needs."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from app.db.locks import Lock, hold

MIGRATIONS = Path(__file__).with_name("migrations")

_LOCK = Lock(
    "another migration",
    "SELECT oid FROM pg_namespace WHERE nspname = current_schema()",
    number=1,
    timeout=300,
)
"""Only one migration runs at a time."""


def _config() -> Config:
    config = Config()
    # the path is a value of ConfigParser, where a percent sign begins an interpolation
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config


def head() -> str:
    """Return the version of the tables that this code needs."""
    found = ScriptDirectory.from_config(_config()).get_current_head()
    if found is None:
        msg = f"{MIGRATIONS} contains no migrations"
        raise RuntimeError(msg)
    return found


def known() -> frozenset[str]:
    """Return all versions that this code can migrate from."""
    return frozenset(s.revision for s in ScriptDirectory.from_config(_config()).walk_revisions())


def current(connection: Connection) -> str | None:
    """Return the version of the tables in the current schema, or None if there are none.

    Tables in another schema of the search path belong to another installation and do not count.
    """
    schema = connection.scalar(text("SELECT current_schema()"))
    context = MigrationContext.configure(connection, opts={"version_table_schema": schema})
    return context.get_current_revision() if schema is not None else None


def upgrade(connection: Connection) -> None:
    """Migrate to :func:`head` in one transaction. Several processes may do so at the same time.

    Raises:
        sqlalchemy.exc.OperationalError: with SQLSTATE 55P03, if another migration or a transaction
            that uses one of the tables did not end in time.
    """
    hold(connection, _LOCK)
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
