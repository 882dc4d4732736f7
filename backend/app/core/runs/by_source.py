"""Reads the latest and the active runs of a source."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.errors import Conflict, cancel_run

_LAST = text(
    """
    SELECT asked.source, s.run_id, s.state, s.done, s.found, s.absent, s.unknown, s.changed,
      s.requests, s.started_at, s.finished_at, s.error
    FROM unnest(CAST(:sources AS text[])) AS asked (source) CROSS JOIN LATERAL (
      SELECT run_id FROM run_sources r WHERE r.source = asked.source
      ORDER BY run_id DESC LIMIT :limit) latest
      JOIN run_sources s ON s.source = asked.source AND s.run_id = latest.run_id
    ORDER BY s.run_id
    """
)

_ACTIVE = text("SELECT run_id FROM run_sources WHERE source = :source AND active")

_LAST_END = text("SELECT max(finished_at) FROM runs")


@dataclass(frozen=True, slots=True)
class SourceInRun:
    """The result of one run for one source; see `SourceProgress`."""

    run_id: int
    state: str
    done: int
    found: int
    absent: int
    unknown: int
    changed: int
    requests: int
    started_at: datetime | None
    finished_at: datetime | None
    error: str | None


async def last_runs(
    connection: AsyncConnection, sources: Collection[str], *, limit: int
) -> dict[str, list[SourceInRun]]:
    """Return the latest runs that cover each source, the oldest of them first.

    Args:
        connection: to read from.
        sources: their names.
        limit: the maximum number of runs per source.
    """
    found: dict[str, list[SourceInRun]] = {name: [] for name in sources}
    values = {"sources": list(sources), "limit": limit}
    for source, *rest in await connection.execute(_LAST, values):
        found[source].append(SourceInRun(*rest))
    return found


async def last_end(connection: AsyncConnection) -> datetime | None:
    """Return the end of the run that ended last; None if no run has ended."""
    ended: datetime | None = (await connection.execute(_LAST_END)).scalar_one()
    return ended


async def require_inactive(connection: AsyncConnection, source: str, kind: str) -> None:
    """Check that no active run covers a source.

    Args:
        connection: a connection with an open transaction.
        source: the name of the source.
        kind: the kind of source, for the error: "a source".

    Raises:
        Conflict: an active run covers the source.
    """
    run_id = (await connection.execute(_ACTIVE, {"source": source})).scalar_one_or_none()
    if run_id is not None:
        raise Conflict(
            f"run {run_id} covers {source}",
            allowed=f"{kind} that no active run covers",
            remedy="wait until the run has ended, or cancel it",
            steps=(cancel_run(run_id),),
        )
