"""Records which worker performs the action of a tick, and how it ended.

The tick is recorded as ``waiting`` together with the schedule's next time. A worker claims it,
performs the action outside of any transaction, and records its end. The epoch increases whenever
the tick changes hands, and a worker can record the end only under its own epoch. So if a worker
dies or freezes, another worker takes the tick over and records the end exactly once.

::

    waiting ──CLAIM──> running ──DONE──> done
       ^                  │
       ├── RELEASE (clean stop, or the end could not be recorded)
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
"""The number of failures and lost workers after which a tick fails. A clean stop does not count."""

BACKOFF_BASE = 60.0
"""Seconds until the second attempt. The backoff quadruples after each further failure."""

RELEASE_SECONDS = 5.0
"""Seconds until a tick is restarted if its end could not be recorded."""

_POLL = text(
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
    UPDATE schedule_ticks SET outcome = 'done', reason = :summary,
      result = CAST(:result AS jsonb), at = clock_timestamp()
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
      reason = 'worker ' || t.worker_id || ' died during this tick', at = clock_timestamp()
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
class Polled:
    """The state of schedules and ticks that a worker polls once a second.

    Attributes:
        due: whether a schedule is due.
        open: whether a tick waits for a worker, or belongs to a dead worker.
        here: the keys of the ticks that PostgreSQL assigns to this worker.
    """

    due: bool
    open: bool
    here: frozenset[str]


@dataclass(slots=True)
class TickWork:
    """A tick that this worker has claimed.

    Attributes:
        schedule_id: the id of the schedule.
        schedule: the name of the schedule.
        action: the action to perform.
        options: the options of the action.
        zone: the time zone of the schedule.
        tick: the time at which it was due.
        epoch: the counter that increases whenever the tick changes hands.
        key: identifies the tick and its epoch.
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

    async def done(
        self, connection: AsyncConnection, summary: str, result: Mapping[str, Any]
    ) -> None:
        """Record that the action is done.

        If this is the first statement of a transaction, the other statements of the transaction
        take effect exactly once.

        Args:
            connection: in a transaction.
            summary: the result, for people.
            result: the result, for programs.

        Raises:
            Superseded: the tick belongs to another worker, or the schedule was removed.
        """
        values = {**self._key, "summary": summary, "result": msgspec.json.encode(result).decode()}
        if (await connection.execute(_DONE, values)).one_or_none() is None:
            raise Superseded("another worker has taken the tick over, or it was removed")
        self.is_done = True

    async def failed(self, connection: AsyncConnection, reason: str) -> str | None:
        """Record a failure of the action.

        Args:
            connection: in a transaction.
            reason: the reason, for people, without secrets.

        Returns:
            ``waiting`` if the tick is retried, or ``failed``; None if another worker has taken the
            tick over.
        """
        values = {**self._key, "reason": storable(reason), "most": MAX_FAILURES}
        found = await connection.execute(_FAIL, values | {"backoff": BACKOFF_BASE})
        outcome: str | None = found.scalar_one_or_none()
        return outcome

    @property
    def _key(self) -> dict[str, Any]:
        return {"schedule_id": self.schedule_id, "tick": self.tick, "epoch": self.epoch}


async def poll(connection: AsyncConnection, worker_id: int) -> Polled:
    """Poll the state of schedules and ticks, with one statement."""
    row = (await connection.execute(_POLL, {"worker_id": worker_id})).one()
    return Polled(row.due, row.open, frozenset(row.here))


async def claim(
    connection: AsyncConnection, db: AsyncEngine, worker_id: int, actions: Collection[str]
) -> TickWork | None:
    """Claim the tick that has been waiting longest; return None if no tick waits.

    Args:
        connection: an autocommit connection.
        db: PostgreSQL, for the action.
        worker_id: the id of this worker.
        actions: the actions that this worker can perform now.
    """
    values = {"worker_id": worker_id, "actions": list(actions)}
    try:
        row = (await connection.execute(_CLAIM, values)).one_or_none()
    except IntegrityError:
        # another worker has just claimed another tick of the schedule, which goes first
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
    """Release ticks, so that another worker restarts them. Return their schedules and times.

    Args:
        connection: in a transaction, or an autocommit connection.
        keys: the keys of the ticks.
        seconds: the delay before another worker may claim them.
    """
    return (await connection.execute(_RELEASE, {"keys": list(keys), "seconds": seconds})).all()


async def take_from_the_dead(connection: AsyncConnection) -> Sequence[Any]:
    """Release the ticks of dead workers. Return their schedules, times, workers and outcomes."""
    return (await connection.execute(_TAKE_FROM_DEAD, {"most": MAX_FAILURES})).all()
