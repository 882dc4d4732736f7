import asyncio
import logging
from collections.abc import Callable

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.core.runs import log_lines
from app.core.runs.log_lines import Key
from app.core.workers.collected_lines import CollectedLines

STORE_TIMEOUT = 2.0
"""Seconds after which an attempt to store lines is abandoned; the next attempt includes them."""

PAUSE_AFTER_FAILURE = 30.0
"""Seconds to wait after lines could not be stored."""

WHAT = "storing log lines"


class LogKeeper:
    """Stores the log lines of this worker's attempts, each time in a separate transaction.

    Storing is best effort and never affects a run. A failure is logged once. The lines stay in
    memory, where new lines replace the oldest.

    Args:
        db: an autocommit engine with a connection per attempt, which is free when the attempt has
            ended.
        log: called with the operation that failed, and the error.
    """

    def __init__(self, db: AsyncEngine, log: Callable[[str, Exception], None]) -> None:
        self._db = db
        self._log = log
        self._collected = CollectedLines()
        self._turn = asyncio.Lock()
        self._not_before = 0.0
        self._failed = False

    def start(self) -> None:
        """Attach the collecting handler to the root logger."""
        logging.getLogger().addHandler(self._collected)

    def stop(self) -> None:
        """Detach the collecting handler from the root logger."""
        logging.getLogger().removeHandler(self._collected)

    def begin(self, key: Key) -> None:
        """Start to collect the lines of an attempt."""
        self._collected.begin(key)

    async def end(self, key: Key) -> None:
        """Store the last lines of an attempt that has ended."""
        try:
            if key in self._collected.waiting() and self._may_store():
                async with (
                    asyncio.timeout(STORE_TIMEOUT),
                    self._turn,
                    self._db.connect() as connection,
                ):
                    await self._store(connection, key)
        except Exception as error:  # noqa: BLE001 - it is logged
            self._note_failure(error)
        finally:
            self._collected.end(key)

    async def store(self, connection: AsyncConnection) -> bool:
        """Store the new lines of running attempts, if there are any.

        Returns:
            False if that failed. The connection may then be broken.
        """
        if not self._collected.waiting() or not self._may_store():
            return True
        try:
            async with asyncio.timeout(STORE_TIMEOUT), self._turn:
                for key in self._collected.waiting():
                    await self._store(connection, key)
        except Exception as error:  # noqa: BLE001 - it is logged
            self._note_failure(error)
            return False
        return True

    async def _store(self, connection: AsyncConnection, key: Key) -> None:
        # read again under the lock, so that no line is stored twice
        if lines := self._collected.waiting().get(key):
            await log_lines.store(connection, key, lines)
            self._collected.stored(key, lines[-1].number)
            self._failed = False

    def _may_store(self) -> bool:
        return asyncio.get_running_loop().time() >= self._not_before

    def _note_failure(self, error: Exception) -> None:
        self._not_before = asyncio.get_running_loop().time() + PAUSE_AFTER_FAILURE
        if not self._failed:
            self._failed = True
            self._log(WHAT, error)
