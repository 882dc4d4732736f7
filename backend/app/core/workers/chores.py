"""Does regular work of its own accord, such as the removal of what nobody needs any more."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.core.process import cancelling
from app.db.locks import Lock, try_hold

_CHORES = Lock("a chore", table="runs", number=3, timeout=0)
"""One worker at a time does a part of a chore, and holds this lock until its commit."""

PAUSE = 1.0
"""Seconds between two parts of a chore."""


@dataclass(frozen=True, slots=True)
class Chore:
    """Regular work that any worker can do.

    Each worker begins with the chore once in an interval, and does one part after the other while
    there is more. A part that fails, or that another worker is doing, is tried again in the next
    interval, so a part must be harmless when nothing is left to do.

    Args:
        name: for the log.
        interval: seconds from the end of the chore to its next beginning.
        do_part: does a part of some tenths of a second in a transaction, and returns whether there
            is more to do.
    """

    name: str
    interval: float
    do_part: Callable[[AsyncConnection], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class LocalChore:
    """Regular work on the machine of a worker, such as on its files, which every worker does.

    Workers of one machine may do it at the same time, so a part must allow that.

    Args:
        name: for the log.
        interval: see :class:`Chore`.
        do_part: does a part, and returns whether there is more to do. A thread does what would keep
            the event loop for long.
    """

    name: str
    interval: float
    do_part: Callable[[], Awaitable[bool]]


class Chores:
    """Does the chores of a worker, one at a time, beside its heartbeats.

    Args:
        db: with a connection to spare.
        chores: what there is to do.
        log: is told what failed, and why.
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
        """Begin with the next part of a chore that is due, and do not wait for it."""
        now = asyncio.get_running_loop().time()
        due = [chore for chore, at in self._due.items() if at <= now]
        if due and (self._doing is None or self._doing.done()):
            longest_due = min(due, key=self._due.__getitem__)
            self._doing = asyncio.create_task(self._do(longest_due), name=longest_due.name)

    async def stop(self, within: float) -> None:
        """Cancel the part that is being done; its transaction is rolled back."""
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
            wait = PAUSE if more else chore.interval
            self._due[chore] = asyncio.get_running_loop().time() + wait

    async def _do_in_turn(self, chore: Chore) -> bool:
        async with self._db.begin() as connection:
            if await connection.run_sync(try_hold, _CHORES):
                return await chore.do_part(connection)
        return False
