"""The registry of all sources: the built-in ones and the own tables."""

from collections.abc import Mapping

from sqlalchemy.ext.asyncio import AsyncConnection

from app.annotation.own_tables.source import OwnTable, Reading, info_of
from app.annotation.own_tables.store import OwnTableRow, current_tables
from app.annotation.sources import SOURCES
from app.annotation.sources.base import Source
from app.annotation.sources.connector import Connector
from app.annotation.sources.declaration import SourceInfo


async def all_sources(connection: AsyncConnection) -> dict[str, SourceInfo]:
    """Return the declarations of all sources, in the order in which they run."""
    own = await current_tables(connection)
    built_in = {name: source.info for name, source in SOURCES.items()}
    return {**built_in, **{name: info_of(table) for name, table in own.items()}}


def connected(
    name: str,
    connect: Connector,
    own: Mapping[str, OwnTableRow],
    reading: Reading | None = None,
) -> Source:
    """Return a source, connected to its hosts or to PostgreSQL.

    Args:
        name: the name of one of :func:`all_sources`.
        connect: the connector to the hosts.
        own: the own tables.
        reading: opens a transaction to read in; None if only the release is needed.
    """
    if name in SOURCES:
        return SOURCES[name](connect)
    return OwnTable(connect, own[name], reading)
