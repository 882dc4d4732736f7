"""The work of a tick that creates no run: who does it, and how it ended.

The tick is recorded as ``waiting`` together with the schedule's next time. A worker claims it, does
the work outside of any transaction, and records its end. Each time the work changes hands its epoch
increases, and a worker can record the end under its own epoch only: of the work that a dead or
frozen worker has begun, another worker records the end, once.

::

    waiting ──CLAIM──> running ──DONE──> done
       ^                  │
       ├── RELEASE (clean stop, or its end could not be recorded)
       └── FAIL, TAKE_FROM_DEAD, at most MAX_FAILURES times ──> failed
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.core.errors import Superseded
from app.db.text import storable

MAX_FAILURES = 4
"""Failures and losses of a worker after which a tick has failed. A clean stop is neither."""

BACKOFF_BASE = 60.0
"""Seconds until the second attempt. The time is four times as long after each further failure."""

RELEASE_SECONDS = 5.0
"""Seconds until work is begun again if its end could not be recorded."""

_LOOK = text(
    """
    SELECT EXISTS (SELECT FROM due_ticks) AS due,
      EXISTS (SELECT FROM ready_ticks) OR EXISTS (SELECT FROM lost_ticks) AS open,
      ARRAY(SELECT format('%s/%s/%s', schedule_id, extract(epoch FROM tick), epoch)
        FROM schedule_ticks WHERE outcome = 'running' AND worker_id = :worker_id) AS here
    """
)

_CLAIM = text(
    """
    WITH ready AS (
      SELECT t.schedule_id, t.tick, s.name, s.action, s.options, s.zone
      FROM ready_ticks JOIN schedule_ticks t USING (schedule_id, tick)
        JOIN schedules s ON s.id = t.schedule_id
      WHERE s.action = ANY(CAST(:actions AS text[]))
      ORDER BY t.tick, t.schedule_id LIMIT 1 FOR UPDATE OF t SKIP LOCKED
    )
    UPDATE schedule_ticks t SET outcome = 'running', worker_id = :worker_id, epoch = t.epoch + 1,
      not_before = NULL, at = clock_timestamp()
    FROM ready WHERE (t.schedule_id, t.tick) = (ready.schedule_id, ready.tick)
      AND t.outcome = 'waiting'
    RETURNING t.schedule_id, t.tick, t.epoch, ready.name, ready.action, ready.options, ready.zone,
      format('%s/%s/%s', t.schedule_id, extract(epoch FROM t.tick), t.epoch) AS key
    """
)

_DONE = text(
    """
    UPDATE schedule_ticks SET outcome = 'done', reason = :said, result = CAST(:result AS jsonb),
      at = clock_timestamp()
    WHERE schedule_id = :schedule_id AND tick = :tick AND epoch = :epoch AND outcome = 'running'
    RETURNING schedule_id
    """
)

_FAIL = text(
    """
    UPDATE schedule_ticks SET failures = failures + 1, epoch = epoch + 1, reason = :reason,
      outcome = CASE WHEN failures + 1 < :most THEN 'waiting' ELSE 'failed' END,
      not_before = CASE WHEN failures + 1 < :most
        THEN clock_timestamp() + make_interval(secs => :backoff * power(4, failures)) END,
      at = clock_timestamp()
    WHERE schedule_id = :schedule_id AND tick = :tick AND epoch = :epoch AND outcome = 'running'
    RETURNING outcome
    """
)

_TAKE_FROM_DEAD = text(
    """
    WITH lost AS (
      SELECT t.schedule_id, t.tick
      FROM lost_ticks JOIN schedule_ticks t USING (schedule_id, tick, worker_id)
      WHERE t.outcome = 'running' FOR UPDATE OF t SKIP LOCKED
    )
    UPDATE schedule_ticks t SET failures = failures + 1, epoch = epoch + 1,
      outcome = CASE WHEN failures + 1 < :most THEN 'waiting' ELSE 'failed' END,
      reason = 'worker ' || t.worker_id || ' died while it did this', at = clock_timestamp()
    FROM lost JOIN schedules s ON s.id = lost.schedule_id
    WHERE (t.schedule_id, t.tick) = (lost.schedule_id, lost.tick) AND t.outcome = 'running'
    RETURNING s.name, t.tick, t.worker_id, t.outcome
    """
)

_RELEASE = text(
    """
    UPDATE schedule_ticks t SET outcome = 'waiting', epoch = t.epoch + 1, at = clock_timestamp(),
      not_before = clock_timestamp() + make_interval(secs => :seconds)
    FROM schedules s
    WHERE s.id = t.schedule_id AND t.outcome = 'running'
      AND format('%s/%s/%s', t.schedule_id, extract(epoch FROM t.tick), t.epoch)
        = ANY(CAST(:keys AS text[]))
    RETURNING s.name, t.tick
    """
)


@dataclass(frozen=True, slots=True)
class Look:
    """What a worker learns about the schedules once a second.

    Attributes:
        due: a schedule is due.
        open: there is work of ticks that nobody is doing.
        here: the keys of the work that PostgreSQL assigns to this worker.
    """

    due: bool
    open: bool
    here: frozenset[str]


@dataclass(slots=True)
class TickWork:
    """The work of one tick, which this worker has claimed.

    Attributes:
        schedule: the name of the schedule.
        action: what is to be done.
        options: how.
        zone: the time zone of the schedule.
        tick: when it was due.
        epoch: increases whenever the work changes hands.
        key: identifies the work and its epoch.
        db: PostgreSQL.
        is_done: whether the end has been recorded.
    """

    schedule_id: int
    schedule: str
    action: str
    options: Mapping[str, Any]
    zone: str
    tick: datetime
    epoch: int
    key: str
    db: AsyncEngine
    is_done: bool = False

    async def done(self, connection: AsyncConnection, said: str, result: Mapping[str, Any]) -> None:
        """Record that the work is done.

        What belongs to the work and is written in the same transaction is written once, if this is
        its first statement.

        Args:
            connection: in a transaction.
            said: what was made, for people.
            result: what was made, for programs.

        Raises:
            Superseded: the work belongs to another worker, or the schedule was removed.
        """
        values = {**self._mine, "said": said, "result": msgspec.json.encode(result).decode()}
        if (await connection.execute(_DONE, values)).one_or_none() is None:
            raise Superseded("another worker does the work of this tick, or it was removed")
        self.is_done = True

    async def failed(self, connection: AsyncConnection, reason: str) -> str | None:
        """Record a failure; return whether the tick is ``waiting`` for another attempt or `failed`.

        Args:
            connection: in a transaction.
            reason: for people, without secrets.

        Returns:
            The outcome; None if the work belongs to another worker.
        """
        values = {**self._mine, "reason": storable(reason), "most": MAX_FAILURES}
        found = await connection.execute(_FAIL, values | {"backoff": BACKOFF_BASE})
        outcome: str | None = found.scalar_one_or_none()
        return outcome

    @property
    def _mine(self) -> dict[str, Any]:
        return {"schedule_id": self.schedule_id, "tick": self.tick, "epoch": self.epoch}


async def look(connection: AsyncConnection, worker_id: int) -> Look:
    """Ask what there is to do, with one statement. Every worker asks this once a second."""
    row = (await connection.execute(_LOOK, {"worker_id": worker_id})).one()
    return Look(row.due, row.open, frozenset(row.here))


async def claim(
    connection: AsyncConnection, db: AsyncEngine, worker_id: int, actions: Collection[str]
) -> TickWork | None:
    """Claim the work that has been waiting longest; return None if there is none.

    Args:
        connection: that commits each statement.
        db: PostgreSQL, for the work.
        worker_id: the id of this worker.
        actions: what this worker can do now.
    """
    values = {"worker_id": worker_id, "actions": list(actions)}
    try:
        row = (await connection.execute(_CLAIM, values)).one_or_none()
    except IntegrityError:
        # another worker has just claimed another tick of the schedule, and does it first
        return None
    if row is None:
        return None
    return TickWork(
        schedule_id=row.schedule_id,
        schedule=row.name,
        action=row.action,
        options=row.options,
        zone=row.zone,
        tick=row.tick,
        epoch=row.epoch,
        key=row.key,
        db=db,
    )


async def release(
    connection: AsyncConnection, keys: Collection[str], seconds: float = 0.0
) -> Sequence[Any]:
    """Let another worker begin again with the work of these keys; return the schedules and ticks.

    Args:
        connection: in a transaction, or committing each statement.
        keys: of the work.
        seconds: until another worker may begin.
    """
    return (await connection.execute(_RELEASE, {"keys": list(keys), "seconds": seconds})).all()


async def take_from_the_dead(connection: AsyncConnection) -> Sequence[Any]:
    """Let others begin again the work of dead workers; return the schedules, ticks and workers."""
    return (await connection.execute(_TAKE_FROM_DEAD, {"most": MAX_FAILURES})).all()
