"""Forecasts a run: the releases, the due genes, and the requests and time that they need."""

import asyncio
import math
from collections.abc import Sequence
from typing import Any

from redis.asyncio import Redis
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.annotation.genes.selection import find_hgnc_ids
from app.annotation.own_tables.registry import all_sources, connected
from app.annotation.own_tables.store import current_tables
from app.annotation.refresh.due import Rules, count_due
from app.annotation.refresh.releases import Releases
from app.annotation.refresh.requests import in_order
from app.annotation.settings import Settings, reads_file
from app.annotation.sources.base import ApiSource, FileSource, Source
from app.annotation.sources.connector import Connector
from app.annotation.upstream import new_http_client
from app.core.redis.rate_limits import RateLimiter, RedisRateLimiter
from app.core.runs.request import RunRequest
from app.core.text.field_docs import View

REDIS_TIMEOUT = 3.0
"""Seconds to wait for Redis. Without it, the current releases stay unknown."""


class Forecast(View):
    """What a run would do for one source."""

    source: str
    current: str | None
    """The release that the source has now, as stored answers of it name it; null if it cannot be
    asked, or does not state it."""
    stored: str | None
    """The release that most of the stored answers are from; null if there is none."""
    due: int
    """Genes that would be asked about."""
    reads_file: bool
    """Whether the answers would be read from the source's file, and not asked for by API."""
    requests: int
    """Requests that the source would send, at least."""
    seconds: float | None
    """Expected duration, from the last run that refreshed genes of the source; null without one."""


_STORED = text(
    """
    SELECT a.release, bool_and(coalesce(o.marker = ANY(CAST(:markers AS text[])), false)) AS current
    FROM annotations a LEFT JOIN origins o ON o.id = a.checked_origin_id
    WHERE a.source = :source AND a.state <> 'unknown'
    GROUP BY a.release ORDER BY count(*) DESC LIMIT 1
    """
)

_LAST = text(
    """
    SELECT done - confirmed AS genes,
      extract(epoch FROM finished_at - attempt_started_at)::float8 AS seconds
    FROM run_sources
    WHERE source = :source AND state = 'succeeded' AND done > confirmed
      AND finished_at > attempt_started_at
    ORDER BY run_id DESC LIMIT 1
    """
)


async def forecast(
    db: AsyncEngine,
    connect: Connector,
    names: Sequence[str],
    *,
    full: bool,
    genes: list[str] | None,
) -> list[Forecast]:
    """Ask each source for its release, and count what a run would do.

    Args:
        db: PostgreSQL.
        connect: the connector to the sources' hosts.
        names: the names of the sources.
        full: whether genes with a current answer are due, too.
        genes: the HGNC ids that the run is limited to; None means all genes.
    """
    async with db.connect() as connection:
        own = await current_tables(connection)
    sources = [connected(name, connect, own) for name in names]
    releases = [Releases(source) for source in sources]
    await asyncio.gather(*(release.check() for release in releases))
    found = []
    async with db.connect() as connection:
        for source, known in zip(sources, releases, strict=True):
            rules = Rules.of(
                type(source),
                source.info,
                connect.settings,
                known.markers,
                everything=full,
                genes=genes,
            )
            due = await count_due(connection, rules)
            found.append(await _of_one(connection, connect, source, known, due))
    return found


def limiter_of_workers(redis: Redis) -> RateLimiter:
    """Return the workers' request budgets for a forecast, which somebody waits for."""
    return RedisRateLimiter(redis, outage_timeout=REDIS_TIMEOUT, call_timeout=REDIS_TIMEOUT)


async def forecast_request(
    db: AsyncEngine, settings: Settings, request: RunRequest, limiter: RateLimiter
) -> list[Forecast]:
    """Return what a run would do for the requested sources. Ask the sources for their releases.

    A run may add sources because identifiers are missing (`requests.plan`); these are not included.

    Args:
        db: PostgreSQL.
        settings: the settings of the sources.
        request: the request.
        limiter: the request budgets, which the workers use at the same time.

    Raises:
        WrongUse: the request names an unknown source or gene.
    """
    genes: list[str] | None = None
    async with db.connect() as connection:
        known = await all_sources(connection)
        if request.genes is not None:
            genes = await find_hgnc_ids(connection, request.genes)
    async with new_http_client(settings.upstream_timeout) as http:
        return await forecast(
            db,
            Connector(settings, limiter, http),
            in_order(request, known, settings.enabled_sources),
            full=request.mode == "full",
            genes=genes,
        )


async def _of_one(
    connection: AsyncConnection, connect: Connector, source: Source, known: Releases, due: int
) -> Forecast:
    name = source.info.name
    from_file = reads_file(source, due, connect.settings)
    values = {"source": name, "markers": known.markers}
    stored = (await connection.execute(_STORED, values)).one_or_none()
    last = (await connection.execute(_LAST, {"source": name})).one_or_none()
    current = known.current.get("file" if from_file else "service") or next(
        iter(known.current.values()), None
    )
    name_now = current.name if current else None
    if stored is not None and stored.current:
        # before a file is read, only its date is known; stored answers have the release it names
        name_now = stored.release or name_now
    return Forecast(
        source=name,
        current=name_now,
        stored=stored.release if stored else None,
        due=due,
        reads_file=from_file,
        requests=source.requests + (_requests(source, due, from_file=from_file) if due else 0),
        seconds=_seconds(last, due, from_file=from_file) if due else 0.0,
    )


def _requests(source: Source, due: int, *, from_file: bool) -> int:
    """Return the minimum number of requests for the due genes."""
    if from_file:
        assert isinstance(source, FileSource)
        return source.downloads
    assert isinstance(source, ApiSource)
    return math.ceil(due / source.info.batch_size)


def _seconds(last: Any, due: int, *, from_file: bool) -> float | None:
    """Return the expected seconds. Reading a file takes as long for few genes as for many."""
    if last is None:
        return None
    seconds: float = last.seconds if from_file else last.seconds * due / last.genes
    return round(seconds, 1)
