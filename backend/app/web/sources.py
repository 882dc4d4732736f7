"""The pages of the sources: releases, coverage, age of the answers, and the last runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from app.annotation.notices.outages import Outage, outages
from app.annotation.overview.sources import Counts, SourceOverview, require_source, sources_overview
from app.api.errors import Busy
from app.api.services import Services, ServicesDep
from app.api.shared_query import Unavailable
from app.core.runs.by_source import SourceInRun, last_end, last_runs
from app.web.rendering import page
from app.web.sparklines import Point, Sparkline, sparkline

router = APIRouter()

LATEST_RUNS = 30
"""The number of last runs of a source that the sparklines show."""

Name = Annotated[str, Path(max_length=100)]


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the coverage bar. Positions are percentages of all genes."""

    kind: str
    genes: int
    x: float
    width: float


@dataclass(frozen=True, slots=True)
class ShownSource:
    """A source on the pages.

    Attributes:
        parts: the parts of the genes, by the answer.
        runs: the last runs, the latest first.
    """

    source: SourceOverview
    parts: Sequence[Part]
    requests: Sparkline
    changes: Sparkline
    runs: Sequence[SourceInRun]

    @property
    def outdated(self) -> bool:
        """Whether the source has published a release newer than the stored ones."""
        stored = self.source.stored
        return bool(self.source.current) and not all(each.is_current for each in stored)


@router.get("/sources")
async def show_sources(request: Request, services: ServicesDep) -> Response:
    """Show all sources."""
    counts = await _counts(services)
    found = await _read(services, counts) if counts else None
    return page(request, "sources.html", sources=found, counts=counts)


@router.get("/sources/{name}")
async def show_source(request: Request, name: Name, services: ServicesDep) -> Response:
    """Show a source."""
    async with services.reads.connect() as connection:
        await require_source(connection, name)
        down = await outages(connection)
    counts = await _counts(services)
    (found,) = await _read(services, counts, name, down) if counts else [None]
    return page(
        request, "source.html", name=name, found=found, counts=counts, outages=down.get(name, [])
    )


async def _counts(services: Services) -> Counts | None:
    """Return the numbers of answers; None while they are being counted."""
    async with services.reads.connect() as connection:
        ended = await last_end(connection)
    try:
        return await services.probes.counts(ended)
    except (Busy, Unavailable):
        return None


async def _read(
    services: Services,
    counts: Counts,
    name: str | None = None,
    down: Mapping[str, Sequence[Outage]] | None = None,
) -> list[ShownSource]:
    names = None if name is None else [name]
    async with services.reads.connect() as connection:
        found = await sources_overview(
            connection, services.settings, counts=counts, names=names, down=down
        )
        runs = await last_runs(connection, [each.name for each in found], limit=LATEST_RUNS)
    return [_shown(each, runs[each.name]) for each in found]


def _shown(source: SourceOverview, runs: Sequence[SourceInRun]) -> ShownSource:
    requests, changes = (
        sparkline(
            what,
            [Point(f"run {run.run_id}", getattr(run, field), run.state) for run in runs],
            room=LATEST_RUNS,
        )
        for what, field in (("requests", "requests"), ("changed answers", "changed"))
    )
    return ShownSource(source, coverage_bar(source), requests, changes, runs[::-1])


def coverage_bar(source: SourceOverview) -> list[Part]:
    """Return the parts of the bar that shows the share of genes by answer."""
    counted = {
        "found": source.found,
        "absent": source.absent,
        "unknown": source.unknown,
        "missing": source.missing,
    }
    genes = max(sum(counted.values()), 1)
    parts, x = [], 0.0
    for kind, number in counted.items():
        width = 100 * number / genes
        parts.append(Part(kind, number, round(x, 3), round(width, 3)))
        x += width
    return parts
