"""Turns what happens into notifications and sends them, beside whatever else a process does."""

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
"""To PostgreSQL: one to look, two to describe an event, and those for what was found."""

LOOK_INTERVAL = 2.0
"""Seconds between two looks for something to do. A look is one statement."""

WATCH_INTERVAL = 15.0
"""Seconds between two looks at states, whichever process does it."""

MAX_AGE, MAX_AGE_AT_FIRST = "7 days", "1 hour"
"""People are not told of older things. The shorter time applies to what happened before the first
channel was configured."""

LOOK_TIMEOUT = 30.0
"""Seconds after which a look that is not answered is given up."""

_LOOK = text(
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

# a lock of a session would be kept by a process that is frozen
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
    """Tells people what happens.

    Every process that has channels runs one. Whatever there is to do is taken by one of them, under
    the locks of its rows. A process that dies leaves nothing half done.

    Args:
        dsn: the address of PostgreSQL.
        channels: that carry the messages. They are closed at the end.
        rules: what is told, and when.
        command: says what to type to take a step.
        watches: states of the whole to look at, besides those of the job engine.
        describe: what to tell of the events that the job engine does not know, by event.
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
        # what was logged to wait for PostgreSQL
        self._waiting: set[str] = set()
        self._looking: AsyncConnection | None = None
        self._loop: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin. PostgreSQL may be unavailable."""
        self._loop = asyncio.create_task(self._run(), name="notifications")

    async def stop(self) -> None:
        """End. What is being sent is sent again by another process, or after the next start."""
        tasks = [task for task in (self._loop, self._describing) if task is not None]
        tasks += self._sending.values()
        await asyncio.gather(*(cancelling.end(task, within=LOOK_TIMEOUT) for task in tasks))
        await self._drop()
        for channel in self._channels.values():
            await channel.close()
        await self._db.dispose()

    async def _run(self) -> None:
        while True:
            if not await self._do("looking for notifications", self._look):
                await self._drop()
            await asyncio.sleep(LOOK_INTERVAL)

    async def _look(self) -> None:
        """Do what there is to do. Usually there is nothing, and this takes one statement."""
        async with asyncio.timeout(LOOK_TIMEOUT):
            if self._looking is None:
                self._looking = await self._autocommit.connect()
            found = (await self._looking.execute(_LOOK, {"every": WATCH_INTERVAL})).one()
        max_age = MAX_AGE_AT_FIRST if found.is_first else MAX_AGE
        if found.events:
            while await run_events.look(self._db, max_age, self._command):
                pass
            self._begin_to_describe(max_age)
        if found.events or found.notifications:
            names = list(self._channels)
            await self._repeat(
                partial(planning.plan, rules=self._rules, channels=names, max_age=max_age)
            )
        self._begin(found)
        for name in self._channels:
            if f"waiting {name}" in found.due:
                await self._repeat(partial(planning.collect, channel=name, command=self._command))
        if found.states:
            await self._watch(self._looking)

    async def _repeat(self, do_part: Callable[[AsyncConnection], Awaitable[bool]]) -> None:
        more = True
        while more:
            async with self._db.begin() as connection:
                more = await do_part(connection)

    def _begin_to_describe(self, max_age: str) -> None:
        """Look at the events that others describe. What takes minutes does not delay the rest."""
        if self._describe and (self._describing is None or self._describing.done()):
            look = partial(run_events.look_at_others, self._db, self._describe, max_age)
            describing = self._do("describing events", look)
            self._describing = asyncio.create_task(describing, name="describing events")

    def _begin(self, found: Row[Any]) -> None:
        """Begin to send what is due. A channel that is slow does not delay the others."""
        for name, channel in self._channels.items():
            busy = name in self._sending and not self._sending[name].done()
            if f"pending {name}" in found.due and not busy:
                sending = self._do("sending notifications", Sender(self._autocommit, channel).send)
                self._sending[name] = asyncio.create_task(sending, name=f"to {name}")

    async def _watch(self, connection: AsyncConnection) -> None:
        """Look at states, unless another process has just done that."""
        if (await connection.execute(_TAKE_TURN, {"every": WATCH_INTERVAL})).one_or_none() is None:
            return
        for watch in self._watches:
            await self._do(
                f"watching: {watch.kind}", partial(self._in_transaction, incidents.watch, watch)
            )
        await self._do("closing incidents", partial(self._in_transaction, incidents.close_ended))
        give_up = partial(planning.give_up, channels=list(self._channels))
        await self._do("giving up deliveries", partial(self._in_transaction, give_up))

    async def _in_transaction(self, do: Callable[..., Awaitable[None]], *more: Watch) -> None:
        async with self._db.begin() as connection:
            await do(connection, *more)

    async def _do(self, what: str, do: Callable[[], Awaitable[None]]) -> bool:
        """Do something; if it fails, log that and return False."""
        try:
            await do()
        except Exception as error:
            if is_unavailable(error) or isinstance(error, OSError | TimeoutError):
                if what not in self._waiting:
                    said = str(error) or "no answer"
                    logger.warning("%s waits, PostgreSQL is unavailable: %s", what, said)
                self._waiting.add(what)
            elif (known := explain(self._db, error)) is not None:
                logger.error("%s failed: %s", what, known)  # noqa: TRY400 - an operator can fix it
            else:
                logger.exception("%s failed", what)
            return False
        self._waiting.discard(what)
        return True

    async def _drop(self) -> None:
        if self._looking is not None:
            connection, self._looking = self._looking, None
            # it may be broken, and a broken one cannot be given back to the pool
            await connection.invalidate()
            await connection.close()
