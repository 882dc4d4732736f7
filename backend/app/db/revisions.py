"""The schema versions that this code knows, and the version in a database.

Only a migration imports Alembic, because that takes as long as importing SQLAlchemy. All other
commands just compare versions. The file name of a migration begins with its version.
"""

from pathlib import Path

from sqlalchemy import Connection, text

VERSIONS = Path(__file__).with_name("migrations") / "versions"

REVISIONS = tuple(sorted(file.name.partition("_")[0] for file in VERSIONS.glob("[0-9]*_*.py")))
"""All versions that this code can migrate from, the oldest first."""

HEAD = REVISIONS[-1]
"""The version of the tables that this code needs."""

# if no schema of the search path exists, the argument is null and so is the result
_EXISTS = text(
    "SELECT to_regclass(quote_ident(current_schema()) || '.alembic_version') IS NOT NULL"
)
_CURRENT = text("SELECT version_num FROM alembic_version")


def current(connection: Connection) -> str | None:
    """Return the version of the tables in the current schema, or None if there are no tables.

    Tables in another schema of the search path belong to another installation and do not count.
    """
    if not connection.scalar(_EXISTS):
        return None
    version: str | None = connection.scalar(_CURRENT)
    return version
