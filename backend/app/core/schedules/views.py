"""Read-only views of schedules, for the API and the command line."""

from datetime import datetime
from typing import Annotated, Any, NamedTuple

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.runs.request import MODES
from app.core.schedules.actions import ACTIONS
from app.core.schedules.cron import next_ticks
from app.core.schedules.operations import no_schedule
from app.core.schedules.schedule import KINDS, OUTCOMES, OVERLAPS
from app.core.text.field_docs import View, one_of

NEXT_TICKS = 5
"""The number of next times that are shown."""


class Tick(View):
    """A time at which a schedule was due, and the outcome."""

    tick: datetime
    """When the tick was due."""
    outcome: Annotated[str, one_of(OUTCOMES)]
    """For runs: `ran`, `skipped` (a run of these sources was active), `queued` (waits until that
    run has ended), `missed` (no worker was alive) or `refused` (the run could not be created).
    For other actions also `waiting` (for a worker, or for the next try), `running`, `done` or
    `failed`."""
    run_id: int | None
    """The run that was created, or the active run because of which the tick was skipped or
    queued."""
    reason: str | None
    """The reason of the outcome, or what was made."""
    at: datetime
    """When the outcome was decided."""
    failures: int
    """The number of times that the work failed or lost its worker."""
    not_before: datetime | None
    """When the work is tried again; null if it is not."""
    worker_id: int | None
    """The worker that does the work, or did it last."""
    result: dict[str, Any] | None
    """What was made: the `snapshot`, or the `host`, the `file`, its `bytes` and the names of the
    files that were `removed`."""
    actor: str | None
    """Who started the tick by hand; null if it was due."""


class Schedule(View):
    """A schedule."""

    name: str
    kind: Annotated[str, one_of(KINDS)]
    """When the schedule is due. `cron`: at fixed times. `freshness`: when data are older than
    `every`. `release`: once per `every`, to check for a new release."""
    cron: str | None
    """The five cron fields; null for other kinds."""
    zone: str
    """The time zone of the cron fields."""
    every: float | None
    """The period in seconds; null for the kind `cron`."""
    sources: list[str] | None
    """The sources that the runs refresh; null means all."""
    mode: Annotated[str, one_of(MODES)]
    action: Annotated[str, one_of(ACTIONS)]
    """What a tick does: `refresh` creates a run."""
    options: dict[str, Any]
    """The options of the action; empty for `refresh`."""
    overlap: Annotated[str, one_of(OVERLAPS)]
    """What happens to a tick if a run of these sources is active or an earlier tick is not done."""
    catch_up: float
    """A tick that was missed for at most this number of seconds is caught up."""
    next: list[datetime]
    """The next times; empty while the schedule is paused. For the kind `freshness`, the next check
    of the age of the data."""
    queued_tick: datetime | None
    """A tick that waits for an active run to end; null if there is none."""
    paused_at: datetime | None
    paused_by: str | None
    """Who paused the schedule last; null if nobody did, or if it was not recorded."""
    resumed_at: datetime | None
    """When the schedule was last resumed; null if it never was, or if it was not recorded."""
    resumed_by: str | None
    by: str
    """Who added it."""
    created_at: datetime
    last: Tick | None
    """The last tick."""


class TickPage(View):
    """A page of the ticks of a schedule, the latest first."""

    ticks: list[Tick]
    next_before: datetime | None
    """The parameter `before` for the next page; null if this is the last page."""


_ALL = text(
    """
    SELECT s.id, s.name, s.kind, s.cron, s.zone, s.every, s.sources, s.mode, s.overlap, s.catch_up,
      s.next_at, s.queued_tick, s.paused_at, s.paused_by, s.resumed_at, s.resumed_by, s.by,
      s.created_at, s.action, s.options,
      t.tick, t.outcome, t.run_id, t.reason, t.at, t.failures, t.not_before, t.worker_id, t.result,
      t.actor
    FROM schedules s LEFT JOIN LATERAL (
      SELECT tick, outcome, run_id, reason, at, failures, not_before, worker_id, result, actor
      FROM schedule_ticks WHERE schedule_id = s.id ORDER BY tick DESC LIMIT 1) t ON true
    ORDER BY s.name
    """
)

_TICKS = text(
    """
    SELECT t.tick, t.outcome, t.run_id, t.reason, t.at, t.failures, t.not_before, t.worker_id,
      t.result, t.actor
    FROM schedule_ticks t JOIN schedules s ON s.id = t.schedule_id
    WHERE s.name = :name AND t.tick < coalesce(CAST(:before AS timestamptz), 'infinity')
    ORDER BY t.tick DESC LIMIT :limit
    """
)


# normally, a worker does a due tick within about a second
_OVERDUE = text(
    """
    SELECT count(*) FROM schedules
    WHERE paused_at IS NULL AND next_at < clock_timestamp() - interval '10 s'
    """
)


async def count_overdue(connection: AsyncConnection) -> int:
    """Return the number of schedules that are due and that no worker has done."""
    found: int = (await connection.execute(_OVERDUE)).scalar_one()
    return found


_FAILING = text(
    """
    SELECT s.name, s.action, t.tick, t.reason, coalesce(t.outcome IN ('failed', 'refused'), false)
      AS failing
    FROM schedules s LEFT JOIN LATERAL (
      SELECT tick, outcome, reason FROM schedule_ticks
      WHERE schedule_id = s.id AND outcome IN ('ran', 'done', 'failed', 'refused')
      ORDER BY tick DESC LIMIT 1) t ON true
    ORDER BY s.name
    """
)


class LastEnd(NamedTuple):
    """The end of the last tick of a schedule, apart from skipped ticks.

    Attributes:
        name: the name of the schedule.
        action: the action of the schedule.
        tick: the tick; None if there was none yet.
        reason: the reason of the failure, or a description of the result.
        failing: whether the tick failed or was refused.
    """

    name: str
    action: str
    tick: datetime | None
    reason: str | None
    failing: bool


async def last_ends(connection: AsyncConnection) -> list[LastEnd]:
    """Return the end of the last tick of each schedule."""
    return [LastEnd(*row) for row in await connection.execute(_FAILING)]


async def list_schedules(connection: AsyncConnection) -> list[Schedule]:
    """Return all schedules, by name."""
    return [_view(row) for row in (await connection.execute(_ALL)).mappings()]


async def get_schedule(connection: AsyncConnection, name: str) -> Schedule:
    """Return one schedule.

    Raises:
        NotFound: there is no such schedule.
    """
    for schedule in await list_schedules(connection):
        if schedule.name == name:
            return schedule
    raise await no_schedule(connection, name)


async def list_ticks(
    connection: AsyncConnection, name: str, *, limit: int, before: datetime | None = None
) -> TickPage:
    """Return a page of the ticks of a schedule, the latest first.

    Raises:
        NotFound: there is no such schedule.
    """
    await get_schedule(connection, name)
    values = {"name": name, "before": before, "limit": limit}
    ticks = [Tick(**row) for row in (await connection.execute(_TICKS, values)).mappings()]
    return TickPage(ticks=ticks, next_before=ticks[-1].tick if len(ticks) == limit else None)


def _view(row: RowMapping) -> Schedule:
    upcoming: list[datetime] = []
    if row["paused_at"] is None:
        upcoming = [row["next_at"]]
        if row["cron"] is not None:
            upcoming += next_ticks(row["cron"], row["zone"], row["next_at"], NEXT_TICKS - 1)
    last = None if row["tick"] is None else Tick(**row)
    return Schedule(**row, next=upcoming, last=last)
