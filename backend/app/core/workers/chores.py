"""Periodic background work, such as the removal of rows that are no longer needed."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.core.process import cancelling
from app.db.locks import Lock, try_hold

_CHORES = Lock("a chore", table="runs", number=3, timeout=0)
"""A worker holds this lock while it does a part of a chore, until the commit."""

PAUSE_BETWEEN_PARTS = 1.0
"""Seconds between two parts of a chore."""


@dataclass(frozen=True, slots=True)
class Chore:
    """Periodic work in the database that any worker can do.

    Each worker starts the chore once per interval, and does one part after the other while there is
    more to do. A part that fails, or that another worker is doing, is retried after the interval.
    So a part must be harmless when nothing is left to do.

    Args:
        name: the name in the log.
        interval: seconds from the end of the chore to its next start.
        do_part: does a part of a few tenths of a second in a transaction, and returns whether there
            is more to do.
    """

    name: str
    interval: float
    do_part: Callable[[AsyncConnection], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class LocalChore:
    """Periodic work that every worker does on its own machine, such as on files.

    Workers on one machine may do it at the same time, so a part must tolerate that.

    Args:
        name: the name in the log.
        interval: see :class:`Chore`.
        do_part: does a part, and returns whether there is more to do. It must run blocking code in
            a thread.
    """

    name: str
    interval: float
    do_part: Callable[[], Awaitable[bool]]


class Chores:
    """Does the chores of a worker, one at a time, concurrently with its heartbeats.

    Args:
        db: a pool with a spare connection.
        chores: the chores.
        log: called with the operation that failed, and the error.
    """

    def __init__(
        self,
        db: AsyncEngine,
        chores: Sequence[Chore | LocalChore],
        log: Callable[[str, Exception], None],
    ) -> None:
        self._db = db
        self._log = log
        self._due = dict.fromkeys(chores, 0.0)
        self._doing: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Start the next part of a due chore in the background, unless a part is running."""
        now = asyncio.get_running_loop().time()
        due = [chore for chore, at in self._due.items() if at <= now]
        if due and (self._doing is None or self._doing.done()):
            chore = min(due, key=self._due.__getitem__)
            self._doing = asyncio.create_task(self._do(chore), name=chore.name)

    async def stop(self, within: float) -> None:
        """Cancel the running part; its transaction is rolled back.

        Args:
            within: seconds to wait for its end.
        """
        if self._doing is not None:
            await cancelling.end(self._doing, within=within)

    async def _do(self, chore: Chore | LocalChore) -> None:
        more = False
        try:
            if isinstance(chore, LocalChore):
                more = await chore.do_part()
            else:
                more = await self._do_in_turn(chore)
        except Exception as error:  # noqa: BLE001 - it is logged
            self._log(chore.name, error)
        finally:
            wait = PAUSE_BETWEEN_PARTS if more else chore.interval
            self._due[chore] = asyncio.get_running_loop().time() + wait

    async def _do_in_turn(self, chore: Chore) -> bool:
        async with self._db.begin() as connection:
            if await connection.run_sync(try_hold, _CHORES):
                return await chore.do_part(connection)
        return False
