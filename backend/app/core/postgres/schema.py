"""Whether the database has the tables that this code needs."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.errors import MIGRATE, UserError
from app.core.postgres import place as places
from app.core.postgres import refusals
from app.db import migrate
from app.db.engine import dsn_of

logger = logging.getLogger(__name__)


@contextmanager
def in_words(db: AsyncEngine) -> Iterator[None]:
    """Raise what PostgreSQL refuses as what an operator can do about it.

    Raises:
        UserError: PostgreSQL cannot be used, or refuses this role. A fault of the program is left
            as it is.
    """
    try:
        yield
    except (DBAPIError, psycopg.Error) as error:
        known = explain(db, error)
        if known is None:
            raise
        raise known from error


def explain(db: AsyncEngine, error: BaseException) -> UserError | None:
    """Return what an operator can do about an error; None when it is a fault of the program."""
    # known since the first connection
    schema = getattr(db.dialect, "default_schema_name", None)
    return refusals.explain(error, dsn_of(db), schema)


async def check_schema(db: AsyncEngine) -> None:
    """Make sure that the database is there and has the schema that this code needs.

    Raises:
        UserError: unreachable, not migrated, migrated by a newer version, or the role may not use
            the tables.
    """
    with in_words(db):
        async with db.connect() as connection:
            found = await connection.run_sync(migrate.current)
            place = (await connection.execute(text(places.PLACE))).one()
    if found == migrate.head():
        return
    if found is not None:
        _refuse_newer(found)
    elif (known := places.misplaced(place, dsn_of(db))) is not None:
        raise known
    raise UserError(
        f"the database is not migrated: it is at {found or 'no version at all'}",
        allowed=migrate.head(),
        remedy="migrate the database",
        steps=(MIGRATE,),
    )


def _refuse_newer(found: str) -> None:
    if found not in migrate.known():
        raise UserError(
            f"the database was migrated by a newer version of this project (to {found})",
            allowed=migrate.head(),
            remedy="update this checkout with `git pull`, then migrate the database",
            steps=(MIGRATE,),
        )


async def upgrade(db: AsyncEngine) -> str:
    """Migrate the database and return its version.

    Raises:
        UserError: unreachable, migrated by a newer version, or the role may not make tables there.
    """

    def run(connection: Connection) -> str:
        place = connection.execute(text(places.PLACE)).one()
        found = migrate.current(connection)
        if found is None and (known := places.leads_elsewhere(place, dsn_of(db))):
            raise known
        if found is None or found in migrate.known():
            migrate.upgrade(connection)
        return str(place.schema)

    with in_words(db):
        async with db.begin() as connection:
            schema = await connection.run_sync(run)
    await check_schema(db)
    logger.info("the tables are in schema %s", schema)
    return migrate.head()
