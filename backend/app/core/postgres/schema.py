"""Checks whether the database has the tables that this code needs."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.errors import MIGRATE, UserError
from app.core.postgres import place as places
from app.core.postgres import refusals
from app.db import revisions
from app.db.engine import dsn_of


@contextmanager
def explain_refusals(db: AsyncEngine) -> Iterator[None]:
    """Convert errors of PostgreSQL that an operator can fix to a `UserError` with the remedy.

    Raises:
        UserError: PostgreSQL cannot be used, or refuses this role. Other errors are raised
            unchanged.
    """
    try:
        yield
    except (DBAPIError, psycopg.Error) as error:
        known = explain(db, error)
        if known is None:
            raise
        raise known from error


def explain(db: AsyncEngine, error: BaseException) -> UserError | None:
    """Return an error that tells an operator what to do; None if the error is a bug."""
    # SQLAlchemy learns the schema from its first connection
    schema = getattr(db.dialect, "default_schema_name", None)
    return refusals.explain(error, dsn_of(db), schema)


async def check_schema(db: AsyncEngine) -> None:
    """Check that PostgreSQL can be reached and that its tables have this code's version.

    Raises:
        UserError: PostgreSQL cannot be reached, the database is not migrated or was migrated by a
            newer version, or the role may not use the tables.
    """
    with explain_refusals(db):
        async with db.connect() as connection:
            found = await connection.run_sync(revisions.current)
            if found == revisions.HEAD:
                return
            place = (await connection.execute(text(places.PLACE))).one()
    if found is not None:
        _refuse_newer(found)
    elif (known := places.misplaced(place, dsn_of(db))) is not None:
        raise known
    raise UserError(
        f"the database is not migrated: it is at {found or 'no version at all'}",
        allowed=revisions.HEAD,
        remedy="migrate the database",
        steps=(MIGRATE,),
    )


def _refuse_newer(found: str) -> None:
    if found not in revisions.REVISIONS:
        raise UserError(
            f"the database was migrated by a newer version of this project, to {found}",
            allowed=revisions.HEAD,
            remedy="update this checkout with `git pull`, then migrate the database",
            steps=(MIGRATE,),
        )
