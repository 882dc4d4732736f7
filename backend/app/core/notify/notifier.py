"""Creates notifications for events and states, and sends them, in the background of a process."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.notify import incidents, planning, run_events
from app.core.notify.incidents import Watch, execution_watch
from app.core.notify.message import Channel
from app.core.notify.notice import CommandOf
from app.core.notify.rules import Rules
from app.core.notify.run_events import Describe
from app.core.notify.sending import Sender
from app.core.postgres.schema import explain
from app.core.postgres.unavailable import is_unavailable
from app.core.process import cancelling
from app.db.engine import create_engine

logger = logging.getLogger(__name__)

POOL_SIZE = 5
"""Connections to PostgreSQL: one to poll, two to describe an event, and the rest for the work."""

POLL_INTERVAL = 2.0
"""Seconds between two polls for work. A poll is one statement."""

WATCH_INTERVAL = 15.0
"""Seconds between two polls of the states, over all processes."""

MAX_AGE, MAX_AGE_AT_FIRST = "7 days", "1 hour"
"""People are not notified of older events. The shorter age applies to events from before the first
channel was configured."""

POLL_TIMEOUT = 30.0
"""Seconds after which a poll without a reply fails."""

_POLL = text(
    """
    SELECT
      EXISTS (SELECT FROM run_events
        WHERE NOT noticed AND event IN ('failed', 'held', 'release arrived')) AS events,
      EXISTS (SELECT FROM notifications WHERE planned_at IS NULL) AS notifications,
      ARRAY(SELECT DISTINCT state || ' ' || channel FROM notification_deliveries
        WHERE state IN ('pending', 'waiting')
          AND (due_at <= clock_timestamp() OR due_at > clock_timestamp() + interval '3 days')
        ) AS due,
      NOT EXISTS (SELECT FROM incident_looks WHERE what = 'states'
        AND looked_at > clock_timestamp() - make_interval(secs => :every)
        -- PostgreSQL's clock was set back since
        AND looked_at < clock_timestamp() + interval '1 minute') AS states,
      NOT EXISTS (SELECT FROM incident_looks) AS is_first
    """
)

# a row instead of a session lock, because a frozen process would keep its lock
_TAKE_TURN = text(
    """
    INSERT INTO incident_looks AS last (what, looked_at) VALUES ('states', clock_timestamp())
    ON CONFLICT (what) DO UPDATE SET looked_at = excluded.looked_at
      WHERE last.looked_at <= excluded.looked_at - make_interval(secs => :every)
        OR last.looked_at >= excluded.looked_at + interval '1 minute'
    RETURNING true
    """
)


class Notifier:
    """Notifies people of events and states.

    Every process with channels runs a notifier. Row locks ensure that only one of them handles each
    piece of work, in one transaction, so a process that dies leaves nothing half done.

    Args:
        dsn: the address of PostgreSQL.
        channels: the channels, which are closed at the end.
        rules: which notifications are sent, and when.
        command: returns the command for a step.
        watches: states to observe in addition to those of the job engine.
        describe: functions that write the notices of events, by event, for the events that the job
            engine does not describe itself.
    """

    def __init__(
        self,
        dsn: str,
        channels: Sequence[Channel],
        rules: Rules,
        *,
        command: CommandOf,
        watches: Sequence[Watch] = (),
        describe: Mapping[str, Describe] | None = None,
    ) -> None:
        self._db = create_engine(dsn, session="kidney-genetics notifications", pool_size=POOL_SIZE)
        self._autocommit = self._db.execution_options(isolation_level="AUTOCOMMIT")
        self._channels = {channel.name: channel for channel in channels}
        self._rules = rules
        self._command = command
        self._watches = (execution_watch(command), *watches)
        self._describe = describe or {}
        self._sending: dict[str, asyncio.Task[bool]] = {}
        self._describing: asyncio.Task[bool] | None = None
        # the operations that wait for PostgreSQL, which is logged once
        self._waiting: set[str] = set()
        self._poll_connection: AsyncConnection | None = None
        self._loop: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start in the background. PostgreSQL may be unavailable."""
        self._loop = asyncio.create_task(self._run(), name="notifications")

    async def stop(self) -> None:
        """Stop. Another process, or the next start, resends messages that are being sent."""
        tasks = [task for task in (self._loop, self._describing) if task is not None]
        tasks += self._sending.values()
        await asyncio.gather(*(cancelling.end(task, within=POLL_TIMEOUT) for task in tasks))
        await self._drop()
        for channel in self._channels.values():
            await channel.close()
        await self._db.dispose()

    async def _run(self) -> None:
        while True:
            if not await self._do("polling for notifications", self._poll):
                await self._drop()
            await asyncio.sleep(POLL_INTERVAL)

    async def _poll(self) -> None:
        """Poll for work and do it. Usually there is none, and this takes one statement."""
        async with asyncio.timeout(POLL_TIMEOUT):
            if self._poll_connection is None:
                self._poll_connection = await self._autocommit.connect()
            found = (await self._poll_connection.execute(_POLL, {"every": WATCH_INTERVAL})).one()
        max_age = MAX_AGE_AT_FIRST if found.is_first else MAX_AGE
        if found.events:
            while await run_events.handle_batch(self._db, max_age, self._command):
                pass
            self._start_describing(max_age)
        if found.events or found.notifications:
            names = list(self._channels)
            await self._repeat(
                partial(planning.plan, rules=self._rules, channels=names, max_age=max_age)
            )
        self._start_sending(found)
        for name in self._channels:
            if f"waiting {name}" in found.due:
                await self._repeat(partial(planning.collect, channel=name, command=self._command))
        if found.states:
            await self._watch(self._poll_connection)

    async def _repeat(self, do_part: Callable[[AsyncConnection], Awaitable[bool]]) -> None:
        more = True
        while more:
            async with self._db.begin() as connection:
                more = await do_part(connection)

    def _start_describing(self, max_age: str) -> None:
        """Describe further events in a task of its own, because this may take minutes."""
        if self._describe and (self._describing is None or self._describing.done()):
            handle = partial(run_events.handle_others, self._db, self._describe, max_age)
            describing = self._do("describing events", handle)
            self._describing = asyncio.create_task(describing, name="describing events")

    def _start_sending(self, found: Row[Any]) -> None:
        """Send due deliveries, in one task per channel, so that a slow one delays no other."""
        for name, channel in self._channels.items():
            busy = name in self._sending and not self._sending[name].done()
            if f"pending {name}" in found.due and not busy:
                sending = self._do("sending notifications", Sender(self._autocommit, channel).send)
                self._sending[name] = asyncio.create_task(sending, name=f"to {name}")

    async def _watch(self, connection: AsyncConnection) -> None:
        """Poll the states, unless another process has just done so."""
        if (await connection.execute(_TAKE_TURN, {"every": WATCH_INTERVAL})).one_or_none() is None:
            return
        for watch in self._watches:
            await self._do(
                f"observing {watch.kind!r}", partial(self._in_transaction, incidents.watch, watch)
            )
        await self._do("closing incidents", partial(self._in_transaction, incidents.close_ended))
        give_up = partial(planning.give_up, channels=list(self._channels))
        await self._do("giving up deliveries", partial(self._in_transaction, give_up))

    async def _in_transaction(self, do: Callable[..., Awaitable[None]], *arguments: Watch) -> None:
        async with self._db.begin() as connection:
            await do(connection, *arguments)

    async def _do(self, what: str, do: Callable[[], Awaitable[None]]) -> bool:
        """Do something. Log a failure, and return False."""
        try:
            await do()
        except Exception as error:
            if is_unavailable(error) or isinstance(error, OSError | TimeoutError):
                if what not in self._waiting:
                    reason = str(error) or "no answer"
                    logger.warning(
                        "%s is retried until PostgreSQL is available again: %s", what, reason
                    )
                self._waiting.add(what)
            elif (known := explain(self._db, error)) is not None:
                logger.error("%s failed: %s", what, known)  # noqa: TRY400 - an operator can fix it
            else:
                logger.exception("%s failed", what)
            return False
        self._waiting.discard(what)
        return True

    async def _drop(self) -> None:
        if self._poll_connection is not None:
            connection, self._poll_connection = self._poll_connection, None
            # it may be broken, and a broken connection must not return to the pool
            await connection.invalidate()
            await connection.close()
