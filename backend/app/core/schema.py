import re
import shlex

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.errors import UserError
from app.db import migrate

_REFUSED_USER = re.compile(
    r'authentication failed for user|no password supplied|role ".*" does not exist'
    r"|is not permitted to log in|permission denied for database"
)
NO_DATABASE = re.compile(r'database ".*" does not exist')
"""In PostgreSQL's refusal: libpq gives no SQLSTATE for it."""


async def check_schema(db: AsyncEngine) -> None:
    """Make sure that the database is there and has the schema that this code needs.

    Raises:
        UserError: unreachable, not migrated, or migrated by a newer version.
    """
    try:
        async with db.connect() as connection:
            found = await connection.run_sync(migrate.current)
    except (SQLAlchemyError, OSError) as error:
        raise unreachable(db, error) from error
    if found == migrate.head():
        return
    if found is not None and found not in migrate.known():
        raise UserError(
            f"the database was migrated by a newer version of this project (to {found})",
            allowed=migrate.head(),
            remedy="update this checkout: `git pull`, then `make migrate`",
        )
    raise UserError(
        f"the database is not migrated: it is at {found or 'no version at all'}",
        allowed=migrate.head(),
        remedy="make migrate",
    )


async def upgrade(db: AsyncEngine) -> str:
    """Migrate the database and return its version.

    Raises:
        UserError: unreachable, or migrated by a newer version.
    """

    def run(connection: Connection) -> str:
        found = migrate.current(connection)
        if found is None or found in migrate.known():
            migrate.upgrade(connection)
        return migrate.current(connection) or ""

    try:
        async with db.begin() as connection:
            await connection.run_sync(run)
    except (SQLAlchemyError, OSError) as error:
        raise unreachable(db, error) from error
    await check_schema(db)
    return migrate.head()


def unreachable(db: AsyncEngine, error: Exception) -> UserError:
    """Say why PostgreSQL cannot be used at the engine's address, without its password."""
    url = db.url.set(drivername="postgresql")
    where = url.render_as_string(hide_password=True)
    said = str(getattr(error, "orig", None) or error).strip()
    cause = said.splitlines()[0] if said else type(error).__name__
    # libpq gives no SQLSTATE for a connection that was refused: there is only the server's text
    if _REFUSED_USER.search(said):
        return UserError(
            f"PostgreSQL refuses the user or the password in DATABASE_URL, {where}: {cause}",
            allowed="a user that the server knows, with its password",
            remedy="correct DATABASE_URL in .env",
        )
    if NO_DATABASE.search(said):
        options = (("-h", url.host), ("-p", url.port), ("-U", url.username))
        place = [word for name, value in options if value for word in (name, str(value))]
        create = shlex.join(["createdb", *place, url.database or ""])
        return UserError(
            f"PostgreSQL runs, and has no such database, {where}: {cause}",
            allowed="a database that exists",
            remedy=f"`{create}`, then `make migrate`; or correct DATABASE_URL in .env",
        )
    return UserError(
        f"PostgreSQL cannot be used at {where}: {cause}",
        allowed="DATABASE_URL=postgresql://user:password@host:5432/name of a running server",
        remedy="`make hybrid-up` starts one, or set DATABASE_URL in .env",
    )
