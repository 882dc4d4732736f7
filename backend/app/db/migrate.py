"""Migrates the tables to the version that this code needs."""

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

from app.db.locks import Lock, hold
from app.db.revisions import VERSIONS

_LOCK = Lock("another migration", table=None, number=1, timeout=300)
"""Only one migration runs at a time."""


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
    config = alembic_config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
