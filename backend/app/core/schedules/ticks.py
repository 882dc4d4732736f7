"""Does the ticks of schedules. Every worker polls for due schedules once a second.

A tick, its run and the schedule's next time are committed in one transaction, under the lock of the
schedule's row. So no worker is special, two workers cannot do the same tick, and a worker that dies
leaves nothing half done. If the schedule has an action other than creating a run, the tick is
recorded as waiting for a worker, see :mod:`.work`.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.errors import Conflict, WrongUse
from app.core.runs import operations
from app.core.runs.actors import Actor, by_schedule
from app.core.runs.ref import RunRef
from app.core.runs.request import RunRequest
from app.core.schedules.actions import REFRESH
from app.core.schedules.schedule import Schedule, decide
from app.db.text import storable

Plan = Callable[[AsyncConnection, RunRequest], Awaitable[Sequence[str]]]
"""Returns the sources that a run of a request covers, in order. Raises WrongUse."""

NO_WORKER = "no worker was alive"

_LOCK_NEXT = text(
    """
    SELECT s.id FROM schedules s JOIN due_ticks d USING (id)
    ORDER BY s.next_at, s.id LIMIT 1 FOR UPDATE OF s SKIP LOCKED
    """
)

# Another worker may have done the tick between the start of the first statement and its lock.
# PostgreSQL then locks the current version of the row, but does not evaluate the view again.
_LOCKED = text(
    """
    SELECT s.id, s.name, s.kind, s.cron, s.zone, s.every, s.sources, s.mode, s.overlap, s.catch_up,
      s.next_at, s.action, s.queued_tick, s.queued_behind, d.queued_is_free, d.clock_was_set_back,
      clock_timestamp() AS now
    FROM schedules s JOIN due_ticks d USING (id) WHERE s.id = :id
    """
)

_OLDEST = text(
    """
    SELECT CASE WHEN count(last.finished_at) = count(*) THEN min(last.finished_at) END
    FROM unnest(CAST(:covers AS text[])) AS asked (source) LEFT JOIN LATERAL (
      SELECT max(s.finished_at) AS finished_at FROM run_sources s JOIN runs r ON r.id = s.run_id
      WHERE s.source = asked.source AND s.state = 'succeeded' AND r.genes IS NULL
    ) last ON true
    """
)

# a tick with an outcome is not repeated, even if PostgreSQL's clock was set back
_RECORD = text(
    """
    INSERT INTO schedule_ticks (schedule_id, tick, outcome, run_id, reason, actor)
    SELECT :schedule_id, tick, :outcome, CAST(:run_id AS bigint), CAST(:reason AS text),
      CAST(:actor AS text)
    FROM unnest(CAST(:ticks AS timestamptz[])) AS t (tick)
    ON CONFLICT (schedule_id, tick) DO UPDATE SET outcome = excluded.outcome,
      run_id = excluded.run_id, reason = excluded.reason, at = excluded.at, actor = excluded.actor
      WHERE schedule_ticks.outcome = 'queued'
    """
)

_IS_DONE = text(
    """
    SELECT EXISTS (SELECT FROM schedule_ticks
    WHERE schedule_id = :schedule_id AND tick = :tick AND outcome <> 'queued')
    """
)

_OPEN = text(
    """
    SELECT tick, outcome FROM schedule_ticks
    WHERE schedule_id = :schedule_id AND outcome IN ('waiting', 'running')
    ORDER BY outcome = 'waiting' DESC, tick LIMIT 1
    """
)

_MOVE_ON = text(
    """
    UPDATE schedules SET next_at = :next_at, queued_tick = :queued_tick,
      queued_behind = :queued_behind, decided_at = clock_timestamp()
    WHERE id = :schedule_id
    """
)


async def do_next(connection: AsyncConnection, plan: Plan) -> list[RunRef] | None:
    """Do the due tick of one schedule that no other worker has locked.

    Args:
        connection: in a transaction; the caller sends the wake-ups after its commit.
        plan: returns the sources that a run covers.

    Returns:
        A list with the created run, empty if none was created; None if there is no such schedule.
    """
    locked = (await connection.execute(_LOCK_NEXT)).scalar_one_or_none()
    if locked is None:
        return None
    row = (await connection.execute(_LOCKED, {"id": locked})).mappings().one_or_none()
    if row is None:
        return []
    schedule, now, queued = schedule_of(row), row["now"], row["queued_tick"]
    covers = await _covers(connection, schedule, plan)
    if row["queued_is_free"]:
        done = await _do(connection, schedule, queued, covers)
        await _move_on(connection, schedule, schedule.next_at, done)
        return done.created
    if row["clock_was_set_back"]:
        await _move_on(connection, schedule, schedule.first_after(now), _Done(queued=queued))
        return []
    decision = decide(schedule, now, await _oldest(connection, schedule, covers))
    await _record(connection, schedule, decision.missed, "missed", reason=NO_WORKER)
    done = _Done(queued=queued, behind=row["queued_behind"])
    if decision.tick is not None and not await _is_done(connection, schedule, decision.tick):
        if queued is None:
            done = await _do(connection, schedule, decision.tick, covers)
        else:
            reason = "an earlier tick is queued"
            await _record(connection, schedule, [decision.tick], "skipped", reason=reason)
    await _move_on(connection, schedule, decision.next_at, done)
    return done.created


async def run_now(
    connection: AsyncConnection, schedule: Schedule, now: datetime, plan: Plan, actor: Actor
) -> list[RunRef]:
    """Do an extra tick now. Its outcome is recorded like any other.

    A tick that would be queued is skipped. An action other than creating a run waits for a worker.

    Raises:
        Conflict: a tick of the schedule was already done in this second.
    """
    if schedule.action != REFRESH:
        # files and snapshots are named after the tick, in seconds
        now = now.replace(microsecond=0)
        if await _is_done(connection, schedule, now):
            raise Conflict(f"a tick of {schedule.name} was already done in this second")
    covers = await _covers(connection, schedule, plan)
    at_once = replace(schedule, overlap="skip")
    return (await _do(connection, at_once, now, covers, actor)).created


@dataclass(frozen=True, slots=True)
class _Done:
    """The outcome of a tick: a created run, or the run behind which the tick is queued."""

    created: list[RunRef] = field(default_factory=list)
    queued: datetime | None = None
    behind: int | None = None


async def _covers(
    connection: AsyncConnection, schedule: Schedule, plan: Plan
) -> Sequence[str] | WrongUse:
    """Return the sources that a run of a schedule covers, or the error if it is impossible."""
    if schedule.action != REFRESH:
        return ()
    try:
        return await plan(connection, schedule.request)
    except WrongUse as error:
        return error


async def _do(
    connection: AsyncConnection,
    schedule: Schedule,
    tick: datetime,
    covers: Sequence[str] | WrongUse,
    actor: Actor | None = None,
) -> _Done:
    """Do a tick. ``actor`` is who requested it; None means that it is due."""
    if schedule.action != REFRESH:
        await _record_waiting(connection, schedule, tick, actor)
        return _Done()
    if isinstance(covers, WrongUse):
        await _record(connection, schedule, [tick], "refused", reason=str(covers), actor=actor)
        return _Done()
    await operations.lock_creation(connection)
    active = await operations.find_overlapping(connection, covers)
    if active is not None:
        queue = schedule.overlap == "queue"
        reason = f"run {active} is active"
        outcome = "queued" if queue else "skipped"
        await _record(
            connection, schedule, [tick], outcome, run_id=active, reason=reason, actor=actor
        )
        return _Done(queued=tick, behind=active) if queue else _Done()
    creator = actor or by_schedule(schedule.name)
    ref = (await operations.create(connection, schedule.request, covers, actor=creator)).ref
    await _record(connection, schedule, [tick], "ran", run_id=ref.run_id, actor=actor)
    return _Done(created=[ref])


async def _record_waiting(
    connection: AsyncConnection, schedule: Schedule, tick: datetime, actor: Actor | None
) -> None:
    """Record that a tick waits for a worker, or that it is skipped because of an earlier tick."""
    values = {"schedule_id": schedule.id}
    earlier = (await connection.execute(_OPEN, values)).one_or_none()
    if earlier is None or (schedule.overlap == "queue" and earlier.outcome == "running"):
        await _record(connection, schedule, [tick], "waiting", actor=actor)
        return
    reason = f"the tick of {earlier.tick.astimezone(UTC):%Y-%m-%d %H:%M} UTC is {earlier.outcome}"
    await _record(connection, schedule, [tick], "skipped", reason=reason, actor=actor)


async def _oldest(
    connection: AsyncConnection, schedule: Schedule, covers: Sequence[str] | WrongUse
) -> datetime | None:
    """Return the time of the last success of the least recently refreshed source."""
    if schedule.kind != "freshness" or isinstance(covers, WrongUse):
        return None
    found: datetime | None = (
        await connection.execute(_OLDEST, {"covers": list(covers)})
    ).scalar_one()
    return found


async def _is_done(connection: AsyncConnection, schedule: Schedule, tick: datetime) -> bool:
    values = {"schedule_id": schedule.id, "tick": tick}
    found: bool = (await connection.execute(_IS_DONE, values)).scalar_one()
    return found


async def _record(
    connection: AsyncConnection,
    schedule: Schedule,
    ticks: Sequence[datetime],
    outcome: str,
    *,
    run_id: int | None = None,
    reason: str | None = None,
    actor: Actor | None = None,
) -> None:
    values = {
        "schedule_id": schedule.id,
        "ticks": list(ticks),
        "outcome": outcome,
        "run_id": run_id,
        "reason": None if reason is None else storable(reason),
        "actor": None if actor is None else str(actor),
    }
    await connection.execute(_RECORD, values)


async def _move_on(
    connection: AsyncConnection, schedule: Schedule, next_at: datetime, done: _Done
) -> None:
    values = {"schedule_id": schedule.id, "next_at": next_at}
    values |= {"queued_tick": done.queued, "queued_behind": done.behind}
    await connection.execute(_MOVE_ON, values)


def schedule_of(row: RowMapping) -> Schedule:
    """Build a schedule from a row."""
    return Schedule(
        id=row["id"],
        name=row["name"],
        kind=row["kind"],
        cron=row["cron"],
        zone=row["zone"],
        every=None if row["every"] is None else timedelta(seconds=row["every"]),
        sources=None if row["sources"] is None else tuple(row["sources"]),
        mode=row["mode"],
        overlap=row["overlap"],
        catch_up=timedelta(seconds=row["catch_up"]),
        next_at=row["next_at"],
        action=row["action"],
    )
