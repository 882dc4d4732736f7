"""Adds, pauses, resumes and removes schedules, and does a tick on request."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.errors import Conflict, NotFound, WrongUse, remove_schedule
from app.core.runs.actors import Actor
from app.core.runs.ref import RunRef
from app.core.runs.request import RunRequest
from app.core.schedules import ticks
from app.core.schedules.actions import ACTIONS, NO_ACTIONS, REFRESH, Actions
from app.core.schedules.cron import check_cron, check_zone
from app.core.schedules.schedule import KINDS, OVERLAPS, Schedule
from app.core.schedules.ticks import Plan, schedule_of
from app.core.text.nearest import did_you_mean
from app.db.text import is_storable, storable

NAME = re.compile(r"[a-z][a-z0-9_.-]{0,59}", re.ASCII)

MIN_PERIOD = timedelta(minutes=1)
MAX_PERIOD = timedelta(days=3650)
"""The bounds of a period. The longest means practically never, without overflow in date arithmetic.
"""

Check = Callable[[AsyncConnection, RunRequest], Awaitable[object]]
"""Raises WrongUse if a run of a request is impossible."""


@dataclass(frozen=True, slots=True)
class NewSchedule:
    """The values of a schedule to be added; see :class:`.schedule.Schedule`."""

    name: str
    kind: str
    cron: str | None
    zone: str
    every: timedelta | None
    request: RunRequest
    overlap: str
    catch_up: timedelta
    by: str
    action: str = REFRESH
    options: Mapping[str, Any] = field(default_factory=dict)


_NOW = text("SELECT clock_timestamp()")

_ADD = text(
    """
    INSERT INTO schedules (name, kind, cron, zone, every, sources, mode, overlap, catch_up, next_at,
      by, action, options)
    VALUES (:name, :kind, :cron, :zone, :every, :sources, :mode, :overlap, :catch_up, :next_at, :by,
      :action, CAST(:options AS jsonb))
    ON CONFLICT (name) DO NOTHING RETURNING id
    """
)

_ONE = text(
    """
    SELECT id, name, kind, cron, zone, every, sources, mode, overlap, catch_up, next_at, action,
      paused_at, clock_timestamp() AS now
    FROM schedules WHERE name = :name FOR UPDATE
    """
)

_NAMES = text("SELECT name FROM schedules ORDER BY name")

# waiting ticks are ended, because they would otherwise wait until the schedule is resumed
_PAUSE = text(
    """
    WITH waiting_for_worker AS (
      UPDATE schedule_ticks SET outcome = CASE WHEN failures = 0 THEN 'skipped' ELSE 'failed' END,
        reason = CASE WHEN failures = 0 THEN 'the schedule was paused' ELSE reason END
      WHERE schedule_id = :id AND outcome = 'waiting'
    ), waiting AS (
      UPDATE schedule_ticks t SET outcome = 'skipped', reason = 'the schedule was paused'
      FROM schedules s WHERE s.id = :id AND t.schedule_id = s.id AND t.tick = s.queued_tick
    )
    UPDATE schedules SET paused_at = clock_timestamp(), paused_by = :actor, queued_tick = NULL,
      queued_behind = NULL
    WHERE id = :id
    """
)

_RESUME = text(
    """
    UPDATE schedules SET paused_at = NULL, resumed_at = clock_timestamp(), resumed_by = :actor,
      next_at = :next_at, decided_at = clock_timestamp()
    WHERE id = :id
    """
)

_REMOVE = text("DELETE FROM schedules WHERE id = :id")


async def add(
    connection: AsyncConnection, new: NewSchedule, check: Check, actions: Actions = NO_ACTIONS
) -> int:
    """Add a schedule, and return its id.

    Args:
        connection: in a transaction.
        new: the schedule.
        check: refuses unknown sources. It must accept a database without genes.
        actions: the actions other than creating runs.

    Raises:
        WrongUse: a value of the schedule is not allowed.
        UserError: its action would fail on this host.
        Conflict: there is already a schedule with this name.
    """
    _check(new)
    await check(connection, new.request)
    options: Mapping[str, Any] = {}
    if new.action != REFRESH:
        options = await actions[new.action].check(connection, new.options)
    now: datetime = (await connection.execute(_NOW)).scalar_one()
    sources = new.request.sources
    schedule = Schedule(
        id=0,
        name=new.name,
        kind=new.kind,
        cron=new.cron,
        zone=new.zone,
        every=new.every,
        sources=sources,
        mode=new.request.mode,
        overlap=new.overlap,
        catch_up=new.catch_up,
        next_at=now,
    )
    values = {
        "name": new.name,
        "kind": new.kind,
        "cron": None if new.cron is None else " ".join(new.cron.split()),
        "zone": new.zone,
        "every": None if new.every is None else new.every.total_seconds(),
        "sources": None if sources is None else list(sources),
        "mode": new.request.mode,
        "overlap": new.overlap,
        "catch_up": new.catch_up.total_seconds(),
        "next_at": schedule.first_after(now),
        "by": storable(new.by.strip()),
        "action": new.action,
        "options": msgspec.json.encode(options).decode(),
    }
    added: int | None = (await connection.execute(_ADD, values)).scalar_one_or_none()
    if added is None:
        raise Conflict(
            f"there is already a schedule {new.name}",
            allowed="another name",
            remedy="remove it first",
            steps=(remove_schedule(new.name),),
        )
    return added


def _check(new: NewSchedule) -> None:
    if not NAME.fullmatch(new.name):
        raise WrongUse(
            f"{new.name[:80]!r} cannot be the name of a schedule",
            allowed="at most 60 lower-case letters, digits, '-', '_' and '.', with a letter first",
        )
    if new.kind not in KINDS:
        raise WrongUse(f"unknown kind {str(new.kind)[:40]!r}", allowed=", ".join(KINDS))
    if new.overlap not in OVERLAPS:
        raise WrongUse(f"unknown overlap {new.overlap[:40]!r}", allowed=" or ".join(OVERLAPS))
    if not new.by.strip():
        raise WrongUse("the name of the person who adds the schedule is missing", allowed="a name")
    if not timedelta() <= new.catch_up <= MAX_PERIOD:
        raise WrongUse(f"a catch-up time of {new.catch_up}", allowed="0 to 10 years")
    check_zone(new.zone)
    _check_action(new)
    if new.kind == "cron":
        if new.cron is None or new.every is not None:
            raise WrongUse("a cron schedule needs five fields and has no period")
        check_cron(new.cron)
    elif new.cron is not None or new.every is None:
        raise WrongUse(f"a {new.kind} schedule needs a period and has no cron fields")
    elif not MIN_PERIOD <= new.every <= MAX_PERIOD:
        raise WrongUse(f"a period of {new.every}", allowed="1 minute to 10 years")


def _check_action(new: NewSchedule) -> None:
    if new.action not in ACTIONS:
        raise WrongUse(f"unknown action {new.action[:40]!r}", allowed=", ".join(ACTIONS))
    if new.action == REFRESH and new.options:
        raise WrongUse("a schedule that refreshes has no options", allowed="sources and a mode")
    if new.action != REFRESH and new.kind != "cron":
        raise WrongUse(
            f"the action {new.action} with a {new.kind} schedule",
            allowed=f"{new.action} at fixed times (cron)",
        )
    if new.action != REFRESH and new.request != RunRequest.of(None):
        raise WrongUse(
            f"the action {new.action} together with the sources or the mode of runs",
            allowed="the options of the action",
        )


async def pause(connection: AsyncConnection, name: str, *, actor: Actor) -> None:
    """Pause a schedule until it is resumed. A queued tick is skipped.

    Args:
        connection: in a transaction.
        name: the name of the schedule.
        actor: who pauses it.

    Raises:
        NotFound: there is no such schedule.
        Conflict: the schedule is already paused.
    """
    schedule, _, paused = await _find(connection, name)
    if paused:
        raise Conflict(f"{name} is already paused")
    await connection.execute(_PAUSE, {"id": schedule.id, "actor": str(actor)})


async def resume(connection: AsyncConnection, name: str, *, actor: Actor) -> None:
    """Resume a paused schedule with its next tick. Ticks that were due meanwhile are not caught up.

    Args:
        connection: in a transaction.
        name: the name of the schedule.
        actor: who resumes it.

    Raises:
        NotFound: there is no such schedule.
        Conflict: the schedule is not paused.
    """
    schedule, now, paused = await _find(connection, name)
    if not paused:
        raise Conflict(f"{name} is not paused")
    next_at = schedule.first_after(now)
    values = {"id": schedule.id, "next_at": next_at, "actor": str(actor)}
    await connection.execute(_RESUME, values)


async def remove(connection: AsyncConnection, name: str) -> None:
    """Delete a schedule and the history of its ticks. Its runs, snapshots and files stay.

    Raises:
        NotFound: there is no such schedule.
    """
    schedule, _, _ = await _find(connection, name)
    await connection.execute(_REMOVE, {"id": schedule.id})


async def run_now(
    connection: AsyncConnection, name: str, plan: Plan, *, actor: Actor
) -> list[RunRef]:
    """Do a tick of a schedule at once, even if it is paused.

    Args:
        connection: in a transaction; the caller sends the wake-ups after its commit.
        name: the name of the schedule.
        plan: returns the sources that a run covers.
        actor: who requests the tick.

    Returns:
        A list with the created run; empty if none was created. The history of ticks has the
        outcome.

    Raises:
        NotFound: there is no such schedule.
        Conflict: a tick of the schedule was already started in this second.
    """
    schedule, now, _ = await _find(connection, name)
    return await ticks.run_now(connection, schedule, now, plan, actor)


async def _find(connection: AsyncConnection, name: str) -> tuple[Schedule, datetime, bool]:
    """Lock the row of a schedule. Return the schedule, the time, and whether it is paused."""
    row = None
    if is_storable(name):
        row = (await connection.execute(_ONE, {"name": name})).mappings().one_or_none()
    if row is None:
        raise await no_schedule(connection, name)
    return schedule_of(row), row["now"], row["paused_at"] is not None


async def no_schedule(connection: AsyncConnection, name: str) -> NotFound:
    """Return the error for an unknown name of a schedule."""
    names = (await connection.execute(_NAMES)).scalars().all()
    return NotFound(
        f"there is no schedule {name[:80]!r}{did_you_mean(name, names)}",
        allowed=", ".join(names) or "none yet",
    )
