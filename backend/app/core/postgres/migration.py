"""Migrates the database. No other module of the engine imports Alembic."""

import logging

from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.postgres import place as places
from app.core.postgres.schema import check_schema, explain_refusals
from app.db import migrate, revisions
from app.db.engine import dsn_of

logger = logging.getLogger(__name__)


async def upgrade(db: AsyncEngine) -> str:
    """Migrate the database and return its new version.

    Raises:
        UserError: PostgreSQL cannot be reached, the database was migrated by a newer version, or
            the role may not create tables in it.
    """

    def run(connection: Connection) -> str:
        place = connection.execute(text(places.PLACE)).one()
        found = revisions.current(connection)
        if found is None and (known := places.leads_elsewhere(place, dsn_of(db))):
            raise known
        if found is None or found in revisions.REVISIONS:
            migrate.upgrade(connection)
        return str(place.schema)

    with explain_refusals(db):
        async with db.begin() as connection:
            schema = await connection.run_sync(run)
    await check_schema(db)
    logger.info("the tables are in schema %s", schema)
    return revisions.HEAD
