"""Opens and closes the incidents of states, and closes incidents that a successful run resolves.

No event marks the moment at which data become stale, or at which the last worker has been dead for
some minutes. So one process at a time polls these states and compares them with the open incidents.
"""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.errors import find_cause
from app.core.notify import execution, outbox
from app.core.notify.execution import Execution
from app.core.notify.message import Kind
from app.core.notify.notice import CommandOf, Notice
from app.core.text.words import time_span

NOBODY_AFTER = 300.0
"""Seconds without a living worker after which people are notified. A restart takes less."""


class Observed(NamedTuple):
    """The result of one poll of a state.

    Attributes:
        found: the present problems, each with its subject.
        undecided: the subjects whose state is unknown. Their incidents stay as they are.
    """

    found: Sequence[Notice]
    undecided: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Watch:
    """Observes a state of the installation.

    Attributes:
        kind: the kind of its incidents, which no other watch has.
        observe: returns the present problems. It only reads.
    """

    kind: Kind
    observe: Callable[[AsyncConnection], Awaitable[Observed]]


_OPEN = text(
    """
    SELECT id, subject, title, opened_at, sources, clock_timestamp() AS now FROM incidents
    WHERE closed_at IS NULL AND kind = :kind FOR UPDATE
    """
)

_CLOSE = text("UPDATE incidents SET closed_at = clock_timestamp() WHERE id = :id")

# closed without a notification, because whoever cancels the run knows of the incident
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


async def watch(connection: AsyncConnection, watched: Watch) -> None:
    """Compare a state with its open incidents: open new incidents, and close those that ended.

    Incidents that end with the success of sources are closed by :func:`close_ended` only.

    Args:
        connection: in a transaction.
        watched: the state.
    """
    observed = await watched.observe(connection)
    rows = (await connection.execute(_OPEN, {"kind": watched.kind})).mappings().all()
    known = {row["subject"] for row in rows}
    await outbox.add_incidents(
        connection, [notice for notice in observed.found if notice.subject not in known]
    )
    lasting = {notice.subject for notice in observed.found} | {*observed.undecided}
    for row in rows:
        if row["sources"] is None and row["subject"] not in lasting:
            await connection.execute(_CLOSE, {"id": row["id"]})
            await outbox.add_recovered(
                connection, row["id"], row["title"], row["opened_at"], row["now"]
            )


async def close_ended(connection: AsyncConnection) -> None:
    """Close the incidents of runs whose sources have succeeded meanwhile, and of cancelled runs."""
    await connection.execute(_CLOSE_CANCELLED)
    for row in (await connection.execute(_CLOSE_ENDED)).all():
        await outbox.add_recovered(connection, row.id, row.title, row.opened_at, row.closed_at)


def execution_watch(command: CommandOf) -> Watch:
    """Return the watch for runs that wait because no worker is alive, or none claims them.

    Args:
        command: returns the command for a step.
    """

    async def observe(connection: AsyncConnection) -> Observed:
        state = await execution.read_execution(connection)
        notice = (_nobody_claims if state.living else _no_worker_alive)(state, command)
        return Observed([] if notice is None else [notice])

    return Watch(Kind.NOBODY_EXECUTES, observe)


def _no_worker_alive(state: Execution, command: CommandOf) -> Notice | None:
    # if no worker was ever started, the lack of one is a problem only while a run is ready
    since = state.last_seen or state.since
    if since is None or state.seconds_since(since) < NOBODY_AFTER:
        return None
    return Notice(
        kind=Kind.NOBODY_EXECUTES,
        at=since,
        title="No worker is alive, so no runs are executed",
        text=f"No worker has been alive for {time_span(state.seconds_since(since))}."
        f" {state.queued:,} runs are queued. They stay queued, and schedules do nothing.\n"
        f"To find out why: {command(find_cause('worker'))}",
        detail={"queued": state.queued},
        subject="",
    )


def _nobody_claims(state: Execution, command: CommandOf) -> Notice | None:
    since = state.unclaimed_since
    if since is None:
        return None
    return Notice(
        kind=Kind.NOBODY_EXECUTES,
        at=since,
        title="A run is ready, and no worker claims it although one is idle",
        text=f"Run {state.run} has been ready for {time_span(state.seconds_since(since))}, and an"
        " idle worker does not claim it.\n"
        f"To find out why: {command(find_cause('worker', 'redis'))}",
        detail={"queued": state.queued, "run": state.run},
        subject="",
    )
