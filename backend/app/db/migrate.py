"""Bring the schema to this code's version, or say what keeps it from being there."""

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
    patience=300,
)
"""One migration runs at a time, whoever starts it."""


def _config() -> Config:
    config = Config()
    # the path is a ConfigParser value, where a percent sign would begin an interpolation
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config


def head() -> str:
    """Return the version that this code needs."""
    found = ScriptDirectory.from_config(_config()).get_current_head()
    if found is None:
        msg = f"no migrations in {MIGRATIONS}"
        raise RuntimeError(msg)
    return found


def known() -> frozenset[str]:
    """Return every version that this code can migrate from."""
    return frozenset(s.revision for s in ScriptDirectory.from_config(_config()).walk_revisions())


def current(connection: Connection) -> str | None:
    """Return the version of the tables in the current schema, or None when there are none.

    Tables of another schema that happen to be visible belong to another installation.
    """
    schema = connection.scalar(text("SELECT current_schema()"))
    context = MigrationContext.configure(connection, opts={"version_table_schema": schema})
    return context.get_current_revision() if schema is not None else None


def upgrade(connection: Connection) -> None:
    """Migrate to :func:`head` in one transaction; several may do so at once, one does the work.

    Raises:
        sqlalchemy.exc.OperationalError: with the SQLSTATE 55P03 when another migration, or somebody
            who uses one of the tables, did not come to an end.
    """
    hold(connection, _LOCK)
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
