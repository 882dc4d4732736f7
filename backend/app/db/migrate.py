"""Bring the schema to this code's version, or say what keeps it from being there."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

MIGRATIONS = Path(__file__).with_name("migrations")

_LOCK = 5_209_001
"""The advisory lock that lets one migration run at a time, whoever starts it."""


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
    """Return the database's version, or None when it was never migrated."""
    return MigrationContext.configure(connection).get_current_revision()


def upgrade(connection: Connection) -> None:
    """Migrate to :func:`head` in one transaction; several may do so at once, one does the work."""
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
