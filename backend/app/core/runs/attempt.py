import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.core.errors import Superseded
from app.core.runs import attempts
from app.core.runs.transitions import Bell


class Attempt:
    """One worker's go at a run, and all that what it does may touch.

    Attributes:
        bell: the run, the epoch, and what was asked for.
        alone: whether its worker does nothing else meanwhile.
        progressed: whether anything was committed under this epoch.
    """

    def __init__(self, db: AsyncEngine, bell: Bell, *, alone: bool) -> None:
        self.bell = bell
        self.alone = alone
        self.progressed = False
        self.superseded = False
        self.task: asyncio.Task[None] | None = None
        self._db = db

    @property
    def key(self) -> tuple[int, int]:
        """Run id and epoch."""
        return self.bell.run_id, self.bell.epoch

    @asynccontextmanager
    async def transaction(self, *, progress: bool) -> AsyncIterator[AsyncConnection]:
        """Open a transaction that commits only if the run is still this attempt's.

        Its first statement is the guarded update of the run, whose row stays locked until the
        commit, so that nobody takes the run over in between.

        Args:
            progress: whether it gets the run somewhere, and is not mere bookkeeping: a run that
                fails again and again without progress is given up.

        Raises:
            Superseded: the run was cancelled or taken over; nothing is changed.
        """
        async with self._db.begin() as connection:
            if not await attempts.guard(connection, *self.key, progress=progress):
                raise Superseded(f"run {self.bell.run_id} is no longer at epoch {self.bell.epoch}")
            yield connection
        self.progressed = self.progressed or progress

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """Open a read-only transaction."""
        async with self._db.connect() as connection:
            yield connection

    def supersede(self) -> None:
        """Stop it: its epoch has passed."""
        self.superseded = True
        if self.task is not None:
            self.task.cancel()


Work = Callable[[Attempt], Awaitable[None]]
"""What a run does. It commits through ``Attempt.transaction`` and can be cancelled anywhere."""
