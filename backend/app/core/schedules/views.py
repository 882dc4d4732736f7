"""Read-only views of schedules, for the API and the command line."""

from datetime import datetime
from typing import Annotated

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.runs.request import MODES
from app.core.runs.views import View, one_of
from app.core.schedules.cron import next_ticks
from app.core.schedules.operations import no_schedule
from app.core.schedules.schedule import KINDS, OUTCOMES, OVERLAPS

NEXT = 5
"""How many of the next times are shown."""


class Tick(View):
    """A time at which a schedule was due, and what became of it."""

    tick: datetime
    """When it was due."""
    outcome: Annotated[str, one_of(OUTCOMES)]
    """`ran`, `skipped` (a run was in its way), `queued` (it waits until that run has ended),
    `missed` (nobody was alive) or `refused` (there could be no such run)."""
    run_id: int | None
    """The run that it created, or that was in its way."""
    reason: str | None
    at: datetime
    """When the outcome was decided."""


class Schedule(View):
    """When runs are created without anybody asking."""

    name: str
    kind: Annotated[str, one_of(KINDS)]
    """`cron`: at fixed times. `freshness`: when the data are older than `every`. `release`: every
    `every`, to see whether there is a new release."""
    cron: str | None
    """Five fields; null unless the kind is `cron`."""
    zone: str
    """The time zone of the five fields."""
    every: float | None
    """Seconds; null if the kind is `cron`."""
    sources: list[str] | None
    """What its runs ask for; null means all."""
    mode: Annotated[str, one_of(MODES)]
    overlap: Annotated[str, one_of(OVERLAPS)]
    """What becomes of a tick while a run of these sources is active."""
    catch_up: float
    """Seconds. A tick that was missed for no longer is made up for."""
    next: list[datetime]
    """The next times; empty while it is paused. Of a freshness schedule, when the age of the data
    is looked at next."""
    queued_tick: datetime | None
    """A tick that waits for an active run to end."""
    paused_at: datetime | None
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
      s.next_at, s.queued_tick, s.paused_at, s.by, s.created_at,
      t.tick, t.outcome, t.run_id, t.reason, t.at
    FROM schedules s LEFT JOIN LATERAL (
      SELECT tick, outcome, run_id, reason, at FROM schedule_ticks
      WHERE schedule_id = s.id ORDER BY tick DESC LIMIT 1) t ON true
    ORDER BY s.name
    """
)

_TICKS = text(
    """
    SELECT t.tick, t.outcome, t.run_id, t.reason, t.at
    FROM schedule_ticks t JOIN schedules s ON s.id = t.schedule_id
    WHERE s.name = :name AND t.tick < coalesce(CAST(:before AS timestamptz), 'infinity')
    ORDER BY t.tick DESC LIMIT :limit
    """
)


# a worker does a tick within about a second
_OVERDUE = text(
    """
    SELECT count(*) FROM schedules
    WHERE paused_at IS NULL AND next_at < clock_timestamp() - interval '10 s'
    """
)


async def count_overdue(connection: AsyncConnection) -> int:
    """Return the number of schedules whose time has come and that nobody has done."""
    found: int = (await connection.execute(_OVERDUE)).scalar_one()
    return found


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
            upcoming += next_ticks(row["cron"], row["zone"], row["next_at"], NEXT - 1)
    last = None if row["tick"] is None else Tick(**row)
    return Schedule(**row, next=upcoming, last=last)
