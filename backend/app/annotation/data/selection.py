"""Selects the answers to read: the moment, the sources, and the fields of their data."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from app.annotation.data.field_names import Known, find_fields
from app.annotation.data.fields import Field, all_fields, fields_of
from app.annotation.data.moments import NOW, Moment, find_moment
from app.annotation.own_tables.registry import all_sources
from app.annotation.sources import SOURCES
from app.core.errors import WrongUse
from app.core.text.nearest import did_you_mean
from app.db.text import storable

_SOURCE = re.compile("[^a-z0-9_-]")
"""A character that ends the source's name in the name of a field or in a condition."""


@dataclass(frozen=True, slots=True)
class Selection:
    """The answers to read of each gene.

    Attributes:
        moment: the moment at which the answers were valid.
        sources: the names of the sources; None means all.
        fields: the fields to which the data of their sources are reduced.
    """

    moment: Moment = NOW
    sources: tuple[str, ...] | None = None
    fields: tuple[Field, ...] = ()


async def find_selection(
    connection: AsyncConnection,
    *,
    sources: Sequence[str] = (),
    fields: Sequence[str] = (),
    as_of: str | None = None,
    snapshot: str | None = None,
) -> Selection:
    """Return the selection of typed parameters.

    Args:
        connection: the database connection.
        sources: names of sources. Empty means all, or the sources of the fields.
        fields: names of fields, structures or sources; see `field_names.find_fields`.
        as_of: see `moments.find_moment`.
        snapshot: see `moments.find_moment`.

    Raises:
        WrongUse: a source or field does not exist, or the moment is not valid.
        NotFound: there is no such snapshot.
    """
    for name in fields:
        require_storable(name)
    moment = await find_moment(connection, as_of=as_of, snapshot=snapshot)
    await require_sources(connection, sources)
    found = find_fields(fields, await known_fields(connection, fields)) if fields else []
    names = dict.fromkeys([*sources, *(field.source for field in found)])
    return Selection(moment, tuple(names) or None, tuple(found))


async def known_fields(connection: AsyncConnection, names: Sequence[str]) -> Known:
    """Return the fields of all sources.

    The fields of own tables are read from the database. They are omitted if all names begin with
    built-in sources.
    """
    if all(_SOURCE.split(name.strip(), maxsplit=1)[0] in SOURCES for name in names):
        return {source: fields_of(source) for source in SOURCES}
    return await all_fields(connection)


async def require_sources(connection: AsyncConnection, names: Sequence[str]) -> None:
    """Check that sources with these names exist.

    Raises:
        WrongUse: a source does not exist.
    """
    unknown = [name for name in names if name not in SOURCES]
    if not unknown:
        return
    known = await all_sources(connection)
    for name in unknown:
        if name not in known:
            raise unknown_name("source", name, known)


def require_storable(name: str) -> None:
    """Check that PostgreSQL can process a name.

    Raises:
        WrongUse: the name contains characters that PostgreSQL rejects.
    """
    if storable(name) != name:
        raise WrongUse(f"the name {name[:80]!r}", allowed="a name without special characters")


def unknown_name(what: str, name: str, known: Collection[str]) -> WrongUse:
    """Return the error about an unknown name."""
    hint = did_you_mean(name, known)
    return WrongUse(f"there is no {what} {name[:80]!r}{hint}", allowed=", ".join(known))
