"""Performs the actions of schedule ticks concurrently with the heartbeats of a worker."""

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
from app.core.schedules.work import RELEASE_SECONDS, Polled, TickWork

logger = logging.getLogger(__name__)

MAX_REASON = 1_000
"""Characters of an error that are stored with its tick. The log has the full error."""


class ActionRunner:
    """Performs the actions of ticks, at most one tick per action at a time.

    Args:
        db: a pool with a spare connection for each action.
        actions: the actions that this worker can perform.
        limit: the timeout of one tick in seconds.
        log: called with the operation that failed, and the error.
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
        self, connection: AsyncConnection, polled: Polled, worker_id: int, *, settled: bool
    ) -> None:
        """Start the ticks that are due, and cancel those that another worker took over.

        The method waits for neither.

        Args:
            connection: an autocommit connection.
            polled: the latest state of the ticks.
            worker_id: the id of this worker.
            settled: whether this worker may take over the ticks of dead workers.
        """
        for key in self._tasks.keys() - polled.here:
            tick, task = self._tasks[key]
            if not tick.is_done and not task.cancelling():
                logger.warning(
                    "schedule %s: the tick no longer belongs to this worker; it is cancelled here",
                    tick.schedule,
                )
                task.cancel()
        if orphans := polled.here - self._tasks.keys():
            for row in await work.release(connection, orphans, RELEASE_SECONDS):
                logger.warning(
                    "schedule %s: the end of the tick was not recorded; it starts again", row.name
                )
        if not polled.open:
            return
        if settled:
            for row in await work.take_from_the_dead(connection):
                logger.warning(
                    "schedule %s: worker %d died during the tick, which is now %s",
                    *(row.name, row.worker_id, row.outcome),
                )
        while free := self._actions.keys() - self._in_progress():
            claimed = await work.claim(connection, self._db, worker_id, free)
            if claimed is None:
                return
            task = asyncio.create_task(self._perform(claimed), name=f"schedule {claimed.schedule}")
            self._tasks[claimed.key] = claimed, task

    async def stop(self, within: float) -> None:
        """Cancel the ticks in progress, and release them to other workers.

        Args:
            within: seconds for each cancellation, and for the release.
        """
        keys = [*self._tasks]
        for _, task in [*self._tasks.values()]:
            await cancelling.end(task, within=within)
        if not keys:
            return
        try:
            async with asyncio.timeout(within), self._db.begin() as connection:
                for row in await work.release(connection, keys):
                    logger.info(
                        "schedule %s: the tick was stopped; another worker restarts it", row.name
                    )
        except Exception as error:  # noqa: BLE001 - it is logged
            # once this worker's lock is released, other workers take over the ticks
            self._log("releasing the ticks of schedules", error)

    def _in_progress(self) -> set[str]:
        return {tick.action for tick, _ in self._tasks.values()}

    async def _perform(self, tick: TickWork) -> None:
        try:
            logger.info("schedule %s: %s starts, epoch %d", tick.schedule, tick.action, tick.epoch)
            async with asyncio.timeout(self._limit) as limit:
                await self._actions[tick.action].perform(tick)
            logger.info("schedule %s: %s is done", tick.schedule, tick.action)
        except Superseded as error:
            logger.warning("schedule %s: the tick was fenced: %s", tick.schedule, error)
        except Exception as error:  # noqa: BLE001 - it is logged
            timed_out = isinstance(error, TimeoutError) and limit.expired()
            await self._record_failure(tick, error, timed_out=timed_out)
        finally:
            del self._tasks[tick.key]

    async def _record_failure(self, tick: TickWork, error: Exception, *, timed_out: bool) -> None:
        what = f"{tick.action} of the schedule {tick.schedule}"
        if is_unavailable(error):
            # nothing can be recorded now; this worker releases the tick when PostgreSQL is back
            self._log(what, error)
            return
        if timed_out:
            reason = f"it timed out after {self._limit:g} s"
        elif isinstance(error, UserError):
            reason = error.found + (f"; {error.remedy}" if error.remedy else "")
            logger.error("%s failed: %s", what, error)
        else:
            reason = f"{type(error).__name__}: {error}"
            self._log(what, error)
        try:
            async with self._db.begin() as connection:
                outcome = await tick.failed(connection, _stored_reason(reason))
            logger.warning("%s is now %s", what, outcome or "in the hands of another worker")
        except Exception as unrecorded:  # noqa: BLE001 - it is logged, and the tick released later
            self._log(f"recording the failure of {what}", unrecorded)


def _stored_reason(reason: str) -> str:
    """Return a reason as it is stored: redacted, and with the host, which may be the cause."""
    return f"on {socket.gethostname()}: {redact(reason)[:MAX_REASON]}"
