"""Does the work of ticks beside the heartbeats of a worker."""

import asyncio
import logging
import socket
from collections.abc import Callable

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.core.errors import Superseded, UserError
from app.core.postgres.unavailable import is_unavailable
from app.core.process import cancelling
from app.core.process.redaction import redact
from app.core.schedules import work
from app.core.schedules.actions import Actions
from app.core.schedules.work import RELEASED_FOR, Look, TickWork

logger = logging.getLogger(__name__)

MAX_REASON = 1_000
"""Characters of an error that are stored with its tick. The log has the whole error."""


class ActionRunner:
    """Does the work of ticks, at most one of each action at the same time.

    Args:
        db: with a connection to spare for each action.
        actions: what this worker can do.
        limit: seconds that the work of a tick may take.
        log: is told what failed, and why.
    """

    def __init__(
        self,
        db: AsyncEngine,
        actions: Actions,
        *,
        limit: float,
        log: Callable[[str, Exception], None],
    ) -> None:
        self._db = db
        self._actions = actions
        self._limit = limit
        self._log = log
        self._tasks: dict[str, tuple[TickWork, asyncio.Task[None]]] = {}

    async def follow(
        self, connection: AsyncConnection, look: Look, worker_id: int, *, settled: bool
    ) -> None:
        """Begin with what is to be done, and stop what belongs to others; do not wait for either.

        Args:
            connection: that commits each statement.
            look: what this worker has just learned.
            worker_id: the id of this worker.
            settled: whether this worker may judge that others are dead.
        """
        for key in self._tasks.keys() - look.here:
            mine, task = self._tasks[key]
            if not mine.is_done and not task.cancelling():
                logger.warning("%s: the tick is not this worker's any more", mine.schedule)
                task.cancel()
        if orphans := look.here - self._tasks.keys():
            for row in await work.release(connection, orphans, RELEASED_FOR):
                logger.warning("%s: its end was not recorded; it is begun again", row.name)
        if not look.open:
            return
        if settled:
            for row in await work.take_from_the_dead(connection):
                logger.warning(
                    "%s: worker %d died while it did the tick, which is %s now",
                    *(row.name, row.worker_id, row.outcome),
                )
        while free := self._actions.keys() - self._doing():
            claimed = await work.claim(connection, self._db, worker_id, free)
            if claimed is None:
                return
            task = asyncio.create_task(self._do(claimed), name=f"schedule {claimed.schedule}")
            self._tasks[claimed.key] = claimed, task

    async def stop(self, within: float) -> None:
        """Stop what is being done, and let other workers begin with it at once."""
        keys = [*self._tasks]
        for _, task in [*self._tasks.values()]:
            await cancelling.end(task, within=within)
        if not keys:
            return
        try:
            async with asyncio.timeout(within), self._db.begin() as connection:
                for row in await work.release(connection, keys):
                    logger.info("%s: stopped; another worker begins it again", row.name)
        except Exception as error:  # noqa: BLE001 - it is logged
            # this worker's lock ends with it, and others take the work then
            self._log("releasing the work of schedules", error)

    def _doing(self) -> set[str]:
        return {mine.action for mine, _ in self._tasks.values()}

    async def _do(self, mine: TickWork) -> None:
        try:
            logger.info("%s: %s is begun, epoch %d", mine.schedule, mine.action, mine.epoch)
            async with asyncio.timeout(self._limit) as limit:
                await self._actions[mine.action].perform(mine)
            logger.info("%s: done", mine.schedule)
        except Superseded as error:
            logger.warning("%s: fenced: %s", mine.schedule, error)
        except Exception as error:  # noqa: BLE001 - it is logged
            late = isinstance(error, TimeoutError) and limit.expired()
            await self._failed(mine, error, late=late)
        finally:
            del self._tasks[mine.key]

    async def _failed(self, mine: TickWork, error: Exception, *, late: bool) -> None:
        what = f"{mine.action} of the schedule {mine.schedule}"
        if is_unavailable(error):
            # not recorded: this worker releases the work when PostgreSQL is back
            self._log(what, error)
            return
        if late:
            reason = f"it took longer than {self._limit:g} s"
        elif isinstance(error, UserError):
            reason = error.found + (f"; {error.remedy}" if error.remedy else "")
            logger.error("%s failed: %s", what, error)
        else:
            reason = f"{type(error).__name__}: {error}"
            self._log(what, error)
        try:
            async with self._db.begin() as connection:
                outcome = await mine.failed(connection, _reason(reason))
            logger.warning("%s is %s", what, outcome or "another worker's")
        except Exception as unrecorded:  # noqa: BLE001 - it is logged, and the work released later
            self._log(f"recording the failure of {what}", unrecorded)


def _reason(said: str) -> str:
    """Return why something failed: without secrets, and with the host, which may be at fault."""
    return f"on {socket.gethostname()}: {redact(said)[:MAX_REASON]}"
