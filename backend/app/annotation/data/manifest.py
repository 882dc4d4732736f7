"""Reads the manifest of a moment: the sources of the annotations, their releases and licences."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec
from pydantic import Field
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app import __version__
from app.annotation.data.moments import Moment
from app.annotation.data.versions import answers_at
from app.annotation.own_tables.source import info_of
from app.annotation.own_tables.store import OwnTableRow
from app.annotation.refresh.origins import OriginFile
from app.annotation.sources import SOURCES
from app.annotation.sources.declaration import SourceInfo
from app.core.text.field_docs import View


class ManifestFile(View):
    """A file or service that answers came from."""

    address: str
    """The address, without secrets."""
    sha256: str | None = None
    """The SHA-256 digest of the downloaded file; null if a service was asked."""


class ManifestRelease(View):
    """A release of a source, with the answers that came from it."""

    release: str | None
    """The name of the release; null if the source does not state one."""
    genes: int
    """The number of genes whose answer, found or absent, came from it."""
    files: list[ManifestFile] = Field(default_factory=list)
    """The files or service of the answers; empty if a version before 0.2 fetched them."""
    parser: str | None = None
    """The version of this product's parser of the source."""


class ManifestSource(View):
    """A source and its stored answers."""

    title: str
    licence: str | None
    """The licence; null for a source that this version does not know."""
    licence_url: str | None
    """The page that states the licence; null if there is none."""
    attribution: str | None
    """The attribution that the source asks for where its data are used."""
    found: int
    """The number of genes that the source has data for."""
    absent: int
    """The number of genes for which the source states that it has no data."""
    unknown: int
    """The number of genes without a good answer."""
    releases: list[ManifestRelease]
    """The releases that the answers came from, the one with the most genes first."""
    columns: dict[str, str] | None = None
    """The columns of an own table with their types, `number` or `text`; null for other sources."""


class Manifest(View):
    """The sources and releases of the annotations of a moment."""

    product: str
    """The version of this product."""
    at: datetime
    """The moment."""
    snapshot: str | None = None
    """The name of the snapshot; null if the moment is not that of a snapshot."""
    note: str | None = None
    """Why the snapshot was taken."""
    genes: int
    """The number of genes in the database, including withdrawn ones."""
    sources: dict[str, ManifestSource]
    """The sources by name; without sources that had not been asked about any gene."""


_Origin = tuple[str | None, str | None, str | None]
"""Release, files as JSON, and parser."""

_STORED = text("SELECT manifest FROM snapshots WHERE name = :name")

_CLOCK = text("SELECT clock_timestamp()")

_GENES = text("SELECT count(*) FROM genes WHERE created_at <= :at")

_ORIGINS = text("SELECT id, release, CAST(files AS text) AS files, parser FROM origins")

# the current file, or the last one if the table was removed
_OWN = text(
    """
    SELECT DISTINCT ON (name) id, name, title, licence, release, file_name, digest, bytes, rows,
      genes, columns, keys, added_by, added_at
    FROM own_tables WHERE added_at <= :at ORDER BY name, added_at DESC, id DESC
    """
)


def in_order(names: Iterable[str]) -> list[str]:
    """Sort names of sources in the order of the registry, followed by own tables."""
    order = {name: place for place, name in enumerate(SOURCES)}
    return sorted(names, key=lambda name: (order.get(name, len(order)), name))


def read_manifest(stored: Any) -> Manifest:
    """Return the manifest in a column, and restore the order of its keys, which jsonb loses."""
    manifest = Manifest.model_validate(stored)
    sources = {name: manifest.sources[name] for name in in_order(manifest.sources)}
    return manifest.model_copy(update={"sources": sources})


async def manifest_of(connection: AsyncConnection, moment: Moment) -> Manifest:
    """Return the manifest of a moment. A snapshot's manifest was stored with it."""
    if moment.snapshot is not None:
        stored = await connection.execute(_STORED, {"name": moment.snapshot})
        return read_manifest(stored.scalar_one())
    at = moment.at or (await connection.execute(_CLOCK)).scalar_one()
    return Manifest(
        product=__version__,
        at=at,
        genes=(await connection.execute(_GENES, {"at": at})).scalar_one(),
        sources=await _sources(connection, moment, at),
    )


async def _sources(
    connection: AsyncConnection, moment: Moment, at: datetime
) -> dict[str, ManifestSource]:
    """Return each source with its stored answers, in the order of the registry."""
    answers = answers_at(moment)
    which = (answers.c.source, answers.c.state, answers.c.release, answers.c.origin_id)
    counted = await connection.execute(select(*which, func.count().label("genes")).group_by(*which))
    states: dict[str, dict[str, int]] = {}
    releases: dict[str, dict[_Origin, int]] = {}
    origins = {row.id: row for row in await connection.execute(_ORIGINS)}
    for row in counted:
        by_state = states.setdefault(row.source, {"found": 0, "absent": 0, "unknown": 0})
        by_state[row.state] += row.genes
        if row.state != "unknown":
            origin = origins.get(row.origin_id)
            # two origins may differ in their marker only
            files, parser = (origin.files, origin.parser) if origin else (None, None)
            key = (row.release, files, parser)
            of_source = releases.setdefault(row.source, {})
            of_source[key] = of_source.get(key, 0) + row.genes
    own = {row.name: OwnTableRow(*row) for row in await connection.execute(_OWN, {"at": at})}
    return {
        name: _source(name, own.get(name), states[name], releases.get(name, {}))
        for name in in_order(states)
    }


def _source(
    name: str,
    own: OwnTableRow | None,
    states: Mapping[str, int],
    releases: Mapping[_Origin, int],
) -> ManifestSource:
    info: SourceInfo | None = None
    if name in SOURCES:
        info = SOURCES[name].info
    elif own is not None:
        info = info_of(own)
    by_genes = sorted(releases.items(), key=lambda each: (-each[1], str(each[0])))
    return ManifestSource(
        title=info.title if info else name,
        licence=info.licence if info else None,
        licence_url=info.licence_url or None if info else None,
        attribution=info.attribution if info else None,
        **states,
        releases=[_release(origin, genes) for origin, genes in by_genes],
        columns=own.columns if own is not None and name not in SOURCES else None,
    )


def _release(origin: _Origin, genes: int) -> ManifestRelease:
    release, files, parser = origin
    read = msgspec.json.decode(files, type=list[OriginFile]) if files else []
    return ManifestRelease(
        release=release,
        genes=genes,
        files=[ManifestFile(address=each.address, sha256=each.sha256) for each in read],
        parser=parser,
    )
