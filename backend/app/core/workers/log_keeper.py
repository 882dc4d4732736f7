import asyncio
import logging
from collections.abc import Callable

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.core.runs import log_lines
from app.core.runs.log_lines import Key
from app.core.workers.collected_lines import CollectedLines

TIMEOUT = 2.0
"""Seconds after which lines are not stored now, but with the next ones."""

PAUSE = 30.0
"""Seconds without a further try after lines could not be stored."""

WHAT = "storing log lines"


class LogKeeper:
    """Stores the log lines of this worker's attempts, in statements of their own.

    Lines may be lost, and a run never suffers from it: a failure is logged once, and the lines wait
    in memory, where new lines push the oldest out.

    Args:
        db: with one connection for each attempt, which is free when the attempt has ended. Each
            statement is a transaction.
        log: is told what failed, and why.
    """

    def __init__(self, db: AsyncEngine, log: Callable[[str, Exception], None]) -> None:
        self._db = db
        self._log = log
        self._collected = CollectedLines()
        self._turn = asyncio.Lock()
        self._not_before = 0.0
        self._failed = False

    def start(self) -> None:
        """Begin to listen to the log of this process."""
        logging.getLogger().addHandler(self._collected)

    def stop(self) -> None:
        """Listen no more."""
        logging.getLogger().removeHandler(self._collected)

    def begin(self, key: Key) -> None:
        """Collect the lines of an attempt."""
        self._collected.begin(key)

    async def end(self, key: Key) -> None:
        """Store the last lines of an attempt that has ended."""
        try:
            if key in self._collected.waiting() and self._may_try():
                async with asyncio.timeout(TIMEOUT), self._turn, self._db.connect() as connection:
                    await self._store(connection, key)
        except Exception as error:  # noqa: BLE001 - it is logged
            self._note(error)
        finally:
            self._collected.end(key)

    async def store(self, connection: AsyncConnection) -> bool:
        """Store new lines of the attempts that go on, if there are any.

        Returns:
            False if that failed. Then the connection may be broken.
        """
        if not self._collected.waiting() or not self._may_try():
            return True
        try:
            async with asyncio.timeout(TIMEOUT), self._turn:
                for key in self._collected.waiting():
                    await self._store(connection, key)
        except Exception as error:  # noqa: BLE001 - it is logged
            self._note(error)
            return False
        return True

    async def _store(self, connection: AsyncConnection, key: Key) -> None:
        # what is stored meanwhile is not stored twice
        if lines := self._collected.waiting().get(key):
            await log_lines.store(connection, key, lines)
            self._collected.stored(key, lines[-1].number)
            self._failed = False

    def _may_try(self) -> bool:
        return asyncio.get_running_loop().time() >= self._not_before

    def _note(self, error: Exception) -> None:
        self._not_before = asyncio.get_running_loop().time() + PAUSE
        if not self._failed:
            self._failed = True
            self._log(WHAT, error)
