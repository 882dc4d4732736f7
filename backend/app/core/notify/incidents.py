"""Opens and closes the incidents that are states, and closes those that a run has ended.

Nothing happens at the moment at which data become stale, or at which the last worker has been dead
for some minutes. So one process looks regularly, and compares what it finds with the incidents that
are open.
"""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.notify import outbox
from app.core.notify.message import Kind
from app.core.notify.notice import Notice
from app.core.words import span

NOBODY_AFTER = 300.0
"""Seconds without a living worker after which people are told. A restart takes less."""

UNCLAIMED_AFTER = 900.0
"""Seconds for which a run may be ready while a worker is idle. A claim takes about a second."""


class Looked(NamedTuple):
    """What was found.

    Attributes:
        found: what is the case now, each with its subject.
        undecided: the subjects of which it is not known. An incident of theirs stays as it is.
    """

    found: Sequence[Notice]
    undecided: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Watch:
    """Looks at a state of the whole.

    Attributes:
        kind: of the incidents. No other watch has the same.
        look: says what is the case. It only reads.
    """

    kind: Kind
    look: Callable[[AsyncConnection], Awaitable[Looked]]


_OPEN = text(
    """
    SELECT id, subject, title, opened_at, sources, clock_timestamp() AS now FROM incidents
    WHERE closed_at IS NULL AND kind = :kind FOR UPDATE
    """
)

_CLOSE = text("UPDATE incidents SET closed_at = clock_timestamp() WHERE id = :id")

# somebody who cancels the run knows of the incident
_CLOSE_CANCELLED = text(
    """
    UPDATE incidents SET closed_at = clock_timestamp()
    WHERE closed_at IS NULL AND sources IS NOT NULL AND EXISTS (
      SELECT FROM runs r WHERE r.id = incidents.run_id AND r.state = 'cancelled')
    """
)

_CLOSE_ENDED = text(
    """
    UPDATE incidents SET closed_at = clock_timestamp()
    WHERE closed_at IS NULL AND cardinality(sources) > 0 AND NOT EXISTS (
      SELECT FROM unnest(sources) AS broken (source) WHERE NOT EXISTS (
        SELECT FROM run_sources s JOIN runs r ON r.id = s.run_id
          LEFT JOIN runs opened ON opened.id = incidents.run_id
        WHERE s.run_id >= incidents.run_id AND s.source = broken.source
          AND s.state = 'succeeded' AND s.finished_at > incidents.opened_at
          AND (r.genes IS NULL OR r.id = opened.id OR r.genes @> opened.genes)))
    RETURNING id, title, opened_at, closed_at
    """
)

_WORKERS = text(
    """
    WITH living AS (
      SELECT w.session, count(r.id) AS busy
      FROM workers w JOIN worker_liveness life ON life.id = w.id AND life.alive
        LEFT JOIN runs r ON r.worker_id = w.id AND r.state = 'running'
      GROUP BY w.session
    ), oldest AS (
      SELECT r.id, greatest(e.at, r.not_before) AS since
      FROM runs r JOIN ready_runs USING (id) CROSS JOIN LATERAL
        (SELECT max(at) AS at FROM run_events WHERE run_id = r.id) e
      ORDER BY 2 LIMIT 1
    )
    SELECT clock_timestamp() AS now, (SELECT count(*) FROM living) AS living,
      EXISTS (SELECT FROM living WHERE busy = 0) AS idle,
      (SELECT max(greatest(started_at, heartbeat_at)) FROM workers) AS last_seen,
      (SELECT count(*) FROM runs WHERE state = 'queued') AS queued,
      (SELECT id FROM oldest) AS run, (SELECT since FROM oldest) AS since
    """
)


async def watch(connection: AsyncConnection, watched: Watch) -> None:
    """Compare a state with its open incidents: open what is new, and close what has ended.

    What the success of sources ends is closed by :func:`close_ended` alone.

    Args:
        connection: in a transaction.
        watched: the state.
    """
    looked = await watched.look(connection)
    rows = (await connection.execute(_OPEN, {"kind": watched.kind})).mappings().all()
    known = {row["subject"] for row in rows}
    await outbox.tell_incidents(
        connection, [each for each in looked.found if each.subject not in known]
    )
    lasting = {each.subject for each in looked.found} | {*looked.undecided}
    for row in rows:
        if row["sources"] is None and row["subject"] not in lasting:
            await connection.execute(_CLOSE, {"id": row["id"]})
            await outbox.tell_recovered(
                connection, row["id"], row["title"], row["opened_at"], row["now"]
            )


async def close_ended(connection: AsyncConnection) -> None:
    """Close the incidents of runs whose sources have succeeded since, and of cancelled runs."""
    await connection.execute(_CLOSE_CANCELLED)
    for row in (await connection.execute(_CLOSE_ENDED)).all():
        await outbox.tell_recovered(connection, row.id, row.title, row.opened_at, row.closed_at)


async def _nobody_executes(connection: AsyncConnection) -> Looked:
    row = (await connection.execute(_WORKERS)).mappings().one()
    notice = _nobody_lives(row) if not row["living"] else _nobody_claims(row)
    return Looked([] if notice is None else [notice])


def _nobody_lives(row: RowMapping) -> Notice | None:
    # where no worker was ever started, nobody misses one until there is something to do
    since = row["last_seen"] or row["since"]
    if since is None or (row["now"] - since).total_seconds() < NOBODY_AFTER:
        return None
    return Notice(
        kind=Kind.NOBODY_EXECUTES,
        at=since,
        title="No worker is alive, so nobody executes runs",
        text=f"No worker has been alive for {span((row['now'] - since).total_seconds())}."
        f" {row['queued']:,} runs are queued. They stay queued, and schedules stand still.\n"
        "To find out why: just doctor --only worker",
        detail={"queued": row["queued"]},
        subject="",
    )


def _nobody_claims(row: RowMapping) -> Notice | None:
    since = row["since"]
    if not row["idle"] or since is None:
        return None
    if (row["now"] - since).total_seconds() < UNCLAIMED_AFTER:
        return None
    return Notice(
        kind=Kind.NOBODY_EXECUTES,
        at=since,
        title="A run is ready, and no worker claims it although one is idle",
        text=f"Run {row['run']} has been ready for"
        f" {span((row['now'] - since).total_seconds())}, and an idle worker does not claim it.\n"
        "To find out why: just doctor --only worker,redis",
        detail={"queued": row["queued"], "run": row["run"]},
        subject="",
    )


NOBODY_EXECUTES = Watch(Kind.NOBODY_EXECUTES, _nobody_executes)
"""Whether runs stand still because no worker is alive, or none claims them."""
