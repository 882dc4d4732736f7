import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.core.errors import Superseded
from app.core.runs.ref import RunRef

_GUARD = text(
    """
    UPDATE runs SET
      progressed_at = CASE WHEN :progress THEN clock_timestamp() ELSE progressed_at END,
      failures_in_a_row = CASE WHEN :progress THEN 0 ELSE failures_in_a_row END,
      losses_in_a_row = CASE WHEN :progress THEN 0 ELSE losses_in_a_row END,
      losses_alone = CASE WHEN :progress THEN 0 ELSE losses_alone END
    WHERE id = :run_id AND epoch = :epoch AND state = 'running'
    """
)


class Attempt:
    """One worker's execution of a run, and the work's only way to the database.

    Attributes:
        ref: the run, the epoch and the request.
        alone: whether the worker executes no other run meanwhile.
        progressed: whether this attempt has committed progress.
        superseded: whether the run was cancelled or taken over since.
        task: the task of the work, once it has started.
        began: the start of the latest transaction, by the monotonic clock.
    """

    def __init__(self, db: AsyncEngine, ref: RunRef, *, alone: bool) -> None:
        self.ref = ref
        self.alone = alone
        self.progressed = False
        self.superseded = False
        self.task: asyncio.Task[None] | None = None
        self.began = 0.0
        self._db = db
        # an attempt uses one connection at a time, although parts of the work run concurrently
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def transaction(self, *, progress: bool) -> AsyncIterator[AsyncConnection]:
        """Open a transaction that commits only if the run still belongs to this attempt.

        Its first statement is the guarded update of the run. The row stays locked until the commit,
        so nobody takes the run over in between.

        An attempt has one transaction at a time, so a nested call would wait forever.

        Args:
            progress: whether the transaction advances the run, as opposed to bookkeeping. Progress
                resets the counts of consecutive failures and losses, after which a run fails.

        Raises:
            Superseded: the run was cancelled or taken over. The transaction is rolled back.
        """
        run_id, epoch = self.ref.key
        values = {"run_id": run_id, "epoch": epoch, "progress": progress}
        async with self._turn:
            self.began = time.monotonic()
            async with self._db.begin() as connection:
                if (await connection.execute(_GUARD, values)).rowcount != 1:
                    raise Superseded(f"run {run_id} is no longer at epoch {epoch}")
                yield connection
        self.progressed = self.progressed or progress

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """Open a transaction for reads. It is rolled back at the end, so it must not write."""
        async with self._turn, self._db.connect() as connection:
            yield connection

    def supersede(self) -> None:
        """Cancel the work, because the run has a newer epoch or has ended."""
        self.superseded = True
        if self.task is not None:
            self.task.cancel()


Work = Callable[[Attempt], Awaitable[None]]
"""The work of a run. It commits through ``Attempt.transaction`` and tolerates cancellation at any
point."""
