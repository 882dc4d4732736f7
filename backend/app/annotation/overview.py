"""What there is of each source: its licence, its releases, and how complete and fresh it is."""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Annotated

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.annotation.own_tables.registry import all_sources
from app.annotation.refresh.coverage import (
    Held,
    count_genes,
    coverage,
    held_sources,
    last_successes,
)
from app.annotation.sources import SOURCES
from app.core.runs.views import View, one_of


class CurrentRelease(View):
    """What an upstream published when it was last looked at."""

    of: Annotated[str, one_of(("file", "service"))]
    """Whether its file or its service states the release."""
    release: str
    """A version, or a day."""
    address: str
    """The address that states the release."""
    since: datetime
    """When this release was first seen."""
    seen_at: datetime
    """When this release was last seen."""


class StoredRelease(View):
    """A release that stored answers are from."""

    release: str | None
    """Null if the upstream did not state it."""
    genes: int
    """The number of genes with an answer of this release."""
    is_current: bool
    """Whether the source still had this release when it was last looked at. `current` may name it
    otherwise: before a file is read, its date is all that is known."""


class SourceOverview(View):
    """A source, and what is stored of it."""

    name: str
    title: str
    licence: str
    licence_url: str
    attribution: str
    """How the source wants to be named where its data are used."""
    enabled: bool
    """Whether a run of all sources covers it."""
    freshness: float
    """Seconds after which an answer is stale while the current release is not known."""
    current: list[CurrentRelease]
    stored: list[StoredRelease]
    """The releases of the stored answers, the most frequent first; at most 5."""
    found: int
    """Genes that the source has something for."""
    absent: int
    """Genes for which the source says that it has nothing."""
    unknown: int
    """Genes that never had a good answer."""
    missing: int
    """Genes that the source was not asked about yet."""
    median_age: float | None
    """Seconds since the source was last asked about a gene, or its answer was confirmed: the
    median."""
    oldest_age: float | None
    """Seconds since the source was last asked about a gene: the longest."""
    last_success: datetime | None
    """When a run last refreshed the source successfully."""
    held: Held | None
    """What was not accepted in the last run of the source, if anything."""


_NOW = text("SELECT extract(epoch FROM now())::float8")

# a withdrawn gene keeps the release of its last answers for good
_STORED = text(
    """
    SELECT a.source, a.release, count(*) AS genes, bool_and(r.marker IS NOT NULL) AS is_current
    FROM annotations a
      LEFT JOIN origins o ON o.id = a.checked_origin_id
      LEFT JOIN (SELECT DISTINCT source, marker FROM source_releases) r
        ON r.source = a.source AND r.marker = o.marker
      JOIN genes g ON g.id = a.gene_id AND g.withdrawn_at IS NULL
    WHERE a.state <> 'unknown'
    GROUP BY a.source, a.release ORDER BY a.source, count(*) DESC, a.release
    """
)

_CURRENT = text(
    """
    SELECT source, "of", release, address, since, seen_at FROM source_releases
    ORDER BY source, "of"
    """
)

_MAX_STORED = 5


async def sources_overview(
    connection: AsyncConnection, enabled: Collection[str]
) -> list[SourceOverview]:
    """Return all sources, in the order of the registry; withdrawn genes do not count.

    Args:
        connection: to read from.
        enabled: the built-in sources that a run of all sources covers.
    """
    now: float = (await connection.execute(_NOW)).scalar_one()
    genes = await count_genes(connection)
    answered = await coverage(connection)
    succeeded = await last_successes(connection)
    held = await held_sources(connection)
    stored: dict[str, list[StoredRelease]] = {}
    for row in await connection.execute(_STORED):
        stored.setdefault(row.source, []).append(
            StoredRelease(release=row.release, genes=row.genes, is_current=row.is_current)
        )
    current: dict[str, list[CurrentRelease]] = {}
    for each in (await connection.execute(_CURRENT)).mappings():
        current.setdefault(each["source"], []).append(CurrentRelease(**each))
    found = []
    for name, info in (await all_sources(connection)).items():
        counts = answered.get(name)
        last = succeeded.get(name)
        found.append(
            SourceOverview(
                name=name,
                title=info.title,
                licence=info.licence,
                licence_url=info.licence_url,
                attribution=info.attribution,
                enabled=name in enabled or name not in SOURCES,
                freshness=info.freshness.total_seconds(),
                current=current.get(name, []),
                stored=stored.get(name, [])[:_MAX_STORED],
                found=counts.found if counts else 0,
                absent=counts.absent if counts else 0,
                unknown=counts.unknown if counts else 0,
                missing=genes - (counts.genes if counts else 0),
                median_age=now - counts.median if counts else None,
                oldest_age=now - counts.oldest if counts else None,
                last_success=None if last is None else datetime.fromtimestamp(last, UTC),
                held=held.get(name),
            )
        )
    return found
