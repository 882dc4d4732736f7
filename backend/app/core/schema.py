from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.errors import UserError
from app.db import migrate


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
    """Say that there is no PostgreSQL at the engine's address, without its password."""
    where = db.url.set(drivername="postgresql").render_as_string(hide_password=True)
    cause = str(getattr(error, "orig", None) or error).strip().splitlines()
    return UserError(
        f"PostgreSQL cannot be used at {where}: {cause[0] if cause else type(error).__name__}",
        allowed="DATABASE_URL=postgresql://user:password@host:5432/name of a running server",
        remedy="`make hybrid-up` starts one, or set DATABASE_URL in .env",
    )
