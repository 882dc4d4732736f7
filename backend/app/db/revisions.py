"""The versions of the tables: those that this code knows, and the one in a database.

Only a migration needs Alembic, whose import takes as long as that of SQLAlchemy. Every other
command just compares versions. The name of a migration's file begins with its version.
"""

from pathlib import Path

from sqlalchemy import Connection, text

VERSIONS = Path(__file__).with_name("migrations") / "versions"

REVISIONS = tuple(sorted(file.name.partition("_")[0] for file in VERSIONS.glob("[0-9]*_*.py")))
"""All versions that this code can migrate from, the oldest first."""

HEAD = REVISIONS[-1]
"""The version of the tables that this code needs."""

# no schema of the search path may exist: then all of it is null
_IS_THERE = text(
    "SELECT to_regclass(quote_ident(current_schema()) || '.alembic_version') IS NOT NULL"
)
_CURRENT = text("SELECT version_num FROM alembic_version")


def current(connection: Connection) -> str | None:
    """Return the version of the tables in the current schema, or None if there are none.

    Tables in another schema of the search path belong to another installation and do not count.
    """
    if not connection.scalar(_IS_THERE):
        return None
    version: str | None = connection.scalar(_CURRENT)
    return version
