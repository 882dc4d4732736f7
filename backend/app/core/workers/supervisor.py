import asyncio
import logging
from collections import deque
from collections.abc import Mapping

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.core.process import cancelling
from app.core.runs.attempt import Attempt
from app.core.runs.traces import Traces
from app.core.schedules import ticks, work
from app.core.schedules.ticks import Plan
from app.core.workers import recovery
from app.core.workers.actions import ActionRunner
from app.core.workers.chores import Chores
from app.core.workers.failures import log_failure
from app.core.workers.liveness import Liveness
from app.core.workers.log_keeper import LogKeeper
from app.core.workers.timing import Timing
from app.core.workers.wake_ups import WakeUps

logger = logging.getLogger(__name__)

LAG_HEARTBEATS = 60
"""Heartbeats over which the maximum loop lag is reported."""


class Supervisor:
    """Sends heartbeats and recovers runs, about once a second.

    Each pass sends a heartbeat, recovers runs, creates the runs of schedules, sends traces, stores
    log lines and starts the chores that are due. Work that may take long runs in separate tasks, so
    that it does not delay a heartbeat.

    Args:
        db: the worker's pool, with a spare connection for recovery.
        liveness: the session of the worker.
        attempts: the attempts in progress on the worker, by run and epoch. The value is None until
            the claim has been committed.
        answer_timeout: seconds after which a session that does not answer counts as lost.
        timing: see :class:`Timing`.
        wake_ups: sends wake-ups for runs that are ready.
        chores: the tasks that the worker performs at regular intervals.
        actions: does the work of ticks that create no runs.
        plan: returns the sources that a run of a schedule covers. None means that this worker
            creates no runs for schedules.
        log_keeper: stores the log lines of attempts.
        traces: sends the traces of runs. None means that no traces are sent.
    """

    def __init__(
        self,
        db: AsyncEngine,
        liveness: Liveness,
        attempts: Mapping[tuple[int, int], Attempt | None],
        *,
        answer_timeout: float,
        timing: Timing,
        wake_ups: WakeUps,
        chores: Chores,
        actions: ActionRunner,
        plan: Plan | None,
        log_keeper: LogKeeper,
        traces: Traces | None,
    ) -> None:
        self._db = db
        self._autocommit = db.execution_options(isolation_level="AUTOCOMMIT")
        self._liveness = liveness
        self._attempts = attempts
        self._answer_timeout = answer_timeout
        self._timing = timing
        self._wake_ups = wake_ups
        self._chores = chores
        self._actions = actions
        self._plan = plan
        self._log_keeper = log_keeper
        self._traces = traces
        self._passes: asyncio.Task[None] | None = None
        self._sending_traces: asyncio.Task[None] | None = None
        # stays open between passes, which saves a statement to check whether it is alive
        self._recovering: AsyncConnection | None = None
        self._lags: deque[float] = deque(maxlen=LAG_HEARTBEATS)

    def start(self) -> None:
        """Start the passes."""
        self._passes = asyncio.create_task(self._run(), name="heartbeats")

    async def stop(self, within: float) -> None:
        """Stop the passes and the tasks that they started. All attempts must have ended before.

        Args:
            within: seconds that each of the tasks has to end.
        """
        if self._passes is not None:
            await cancelling.end(self._passes, within=within)
        if self._sending_traces is not None:
            await asyncio.wait({self._sending_traces})
        # a cancelled pass may have left the connection in the middle of a statement
        await self._disconnect()
        await self._release_orphans()
        await self._actions.stop(within=within)
        await self._chores.stop(within=within)
        await self._wake_ups.stop(within=within)
        if self._traces is not None:
            if self._liveness.alive:
                await self._send_traces()
            await self._traces.stop()
        await self._disconnect()

    async def _run(self) -> None:
        alive = True
        while True:
            was_alive, alive = alive, await self._heartbeat()
            if alive:
                await self._recover()
                await self._do_ticks()
                await self._send_traces()
                await self._store_lines()
                self._chores.begin()
            # without its lock this worker looks dead, so it reconnects at once after one failure
            if alive or not was_alive:
                due = asyncio.get_running_loop().time() + self._timing.heartbeat
                await asyncio.sleep(self._timing.heartbeat)
                self._lags.append(asyncio.get_running_loop().time() - due)

    async def _heartbeat(self) -> bool:
        """Send a heartbeat. If that fails, close the session and return False."""
        try:
            async with asyncio.timeout(self._answer_timeout):
                await self._liveness.connect()
                await self._liveness.beat(max(self._lags, default=0.0))
        except Exception as error:  # noqa: BLE001 - it is logged
            log_failure(self._db, "the heartbeat", error)
            logger.warning("the session with PostgreSQL was lost; opening a new one")
            await self._liveness.drop()
            return False
        return True

    async def _recover(self) -> None:
        """Stop attempts that no longer own their run, and recover runs without a live attempt."""
        try:
            async with asyncio.timeout(self._answer_timeout):
                connection = await self._connect()
                worker_id = self._liveness.worker_id
                assert worker_id is not None
                # copied before the query, whose result lacks the runs that are claimed meanwhile
                before = {
                    key: attempt for key, attempt in self._attempts.items() if attempt is not None
                }
                running = await recovery.running_here(connection, worker_id)
                for key in before.keys() - running:
                    if self._attempts.get(key) is before[key]:
                        before[key].supersede()
                if orphans := running - self._attempts.keys():
                    await recovery.release(connection, orphans)
                if self._liveness.settled:
                    await recovery.take_from_the_dead(connection, self._timing)
                self._wake_ups.send(await recovery.wake_ups_due(connection, self._timing))
        except Exception as error:  # noqa: BLE001 - it is logged
            log_failure(self._db, "recovery", error)
            await self._disconnect()

    async def _release_orphans(self) -> None:
        """Release the runs of claims that were cancelled after the commit but before the reply."""
        worker_id = self._liveness.worker_id
        if not self._liveness.alive or worker_id is None:
            return
        try:
            async with asyncio.timeout(self._answer_timeout):
                connection = await self._connect()
                if orphans := await recovery.running_here(connection, worker_id):
                    await recovery.release(connection, orphans)
        except Exception as error:  # noqa: BLE001 - it is logged
            log_failure(self._db, "releasing runs without an attempt", error)

    async def _do_ticks(self) -> None:
        """Create the runs of schedules that are due, and start their other actions."""
        connection, worker_id = self._recovering, self._liveness.worker_id
        if self._plan is None or connection is None or worker_id is None:
            return
        try:
            async with asyncio.timeout(self._answer_timeout):
                while (polled := await work.poll(connection, worker_id)).due:
                    async with self._db.begin() as transaction:
                        created = await ticks.do_next(transaction, self._plan)
                    if created is None:
                        break  # another worker is creating the run
                    self._wake_ups.send(dict.fromkeys(created, False))
                settled = self._liveness.settled
                await self._actions.follow(connection, polled, worker_id, settled=settled)
        except Exception as error:  # noqa: BLE001 - it is logged
            log_failure(self._db, "processing the ticks of schedules", error)
            await self._disconnect()

    async def _send_traces(self) -> None:
        """Send the spans of attempts and runs that have ended on any worker."""
        if self._traces is not None:
            # shielded, because no other worker sends the spans that this one has claimed
            self._sending_traces = asyncio.create_task(
                self._send_ended(self._traces), name="traces"
            )
            await asyncio.shield(self._sending_traces)

    async def _send_ended(self, traces: Traces) -> None:
        try:
            async with asyncio.timeout(self._answer_timeout):
                await traces.send_ended(await self._connect())
        except Exception as error:  # noqa: BLE001 - it is logged
            log_failure(self._db, "sending traces", error)
            await self._disconnect()

    async def _store_lines(self) -> None:
        """Store the lines that attempts have logged since the last pass."""
        connection = self._recovering
        if connection is not None and not await self._log_keeper.store(connection):
            await self._disconnect()

    async def _connect(self) -> AsyncConnection:
        if self._recovering is None:
            self._recovering = await self._autocommit.connect()
        return self._recovering

    async def _disconnect(self) -> None:
        if self._recovering is not None:
            connection, self._recovering = self._recovering, None
            # the connection may be broken, and a broken one must not return to the pool
            await connection.invalidate()
            await connection.close()
