"""Finds services for which runs have been waiting for hours."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.annotation.sources import SOURCES
from app.core.notify.incidents import Observed, Watch
from app.core.notify.message import Kind
from app.core.notify.notice import Notice
from app.core.text.words import some, time_span

# a wait before the source's last answer in the run belongs to an earlier outage
_DOWN = text(
    """
    -- the last answer is looked for once, and not for each event
    WITH waits AS MATERIALIZED (
      SELECT known.host, r.id AS run, s.source, coalesce((
          SELECT max(a.checked_at) FROM annotations a
          WHERE a.checked_run_id = r.id AND a.source = s.source), '-infinity') AS answered_at
      FROM runs r JOIN run_sources s ON s.run_id = r.id AND s.state IN ('queued', 'running')
        JOIN unnest(CAST(:hosts AS text[]), CAST(:sources AS text[])) AS known (host, source)
          ON known.source = s.source AND known.host = ANY(string_to_array(r.waiting_for, ', '))
      WHERE r.state = 'queued' AND r.waiting_for IS NOT NULL
    )
    SELECT w.host, w.run, min(e.at) AS since, clock_timestamp() AS now,
      array_agg(DISTINCT w.source ORDER BY w.source) AS sources,
      (array_agg(e.detail ->> 'reason' ORDER BY e.id DESC))[1] AS reason
    FROM waits w JOIN run_events e ON e.run_id = w.run AND e.event = 'waiting'
      AND w.host = ANY(string_to_array(e.detail ->> 'waiting_for', ', '))
      AND e.at > w.answered_at
    GROUP BY w.host, w.run
    HAVING min(e.at) < clock_timestamp() - make_interval(secs => :seconds)
    ORDER BY w.host, since
    """
)


ASKED = [(host.name, name) for name, source in SOURCES.items() for host in source.info.hosts]
"""Pairs of a service and a source that asks it."""


@dataclass(frozen=True, slots=True)
class Outage:
    """A service that does not answer, and for which a run waits.

    Attributes:
        host: the name of the service.
        since: when the run began to wait.
        reason: the last failure of the service, for operators.
    """

    host: str
    since: datetime
    run_id: int
    reason: str | None


async def outages(connection: AsyncConnection) -> dict[str, list[Outage]]:
    """Return the services for which runs wait, by source."""
    found: dict[str, list[Outage]] = {}
    for row in await connection.execute(_DOWN, _values(ASKED, seconds=0)):
        outage = Outage(row.host, row.since, row.run, row.reason)
        for source in row.sources:
            found.setdefault(source, []).append(outage)
    return found


def _values(asked: Sequence[tuple[str, str]], seconds: float) -> dict[str, Any]:
    return {
        "hosts": [host for host, _ in asked],
        "sources": [source for _, source in asked],
        "seconds": seconds,
    }


def outage_watch(
    asked: Sequence[tuple[str, str]], titles: Mapping[str, str], hours: float
) -> Watch:
    """Return the watch for services that are down.

    The incident ends when its sources succeed. A retry alone does not end it, because its outcome
    is not known yet.

    Args:
        asked: pairs of a service and a source that asks it.
        titles: the titles of the sources, for people.
        hours: the hours that a run must wait before a notification is sent.
    """
    values = _values(asked, hours * 3_600)

    async def observe(connection: AsyncConnection) -> Observed:
        rows = (await connection.execute(_DOWN, values)).all()
        # of several runs, the one that has been waiting longest
        found = {row.host: row for row in reversed(rows)}
        return Observed([_notice(row, titles) for row in found.values()])

    return Watch(Kind.SOURCE_DOWN, observe)


def _notice(row: Row[Any], titles: Mapping[str, str]) -> Notice:
    names = some([titles[source] for source in row.sources])
    waiting = time_span((row.now - row.since).total_seconds())
    reason = f": {row.reason}" if row.reason else ""
    return Notice(
        kind=Kind.SOURCE_DOWN,
        at=row.since,
        title=f"{names}: the service {row.host} does not answer",
        text=f"Run {row.run} has been waiting for {row.host} for {waiting}{reason}\n"
        "It goes on when the service answers. The earlier annotations stay.\n"
        f"To see the run: just show {row.run}",
        detail={"run": row.run, "host": row.host, "sources": row.sources},
        subject=row.host,
        run_id=row.run,
        sources=tuple(row.sources),
    )
