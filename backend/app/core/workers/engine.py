import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

import psycopg
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.config import Settings
from app.core.errors import NotHere
from app.core.postgres.schema import check_schema, explain, explain_refusals
from app.core.postgres.unavailable import is_unavailable
from app.core.process import cancelling
from app.core.process.logs import bound_contextvars
from app.core.runs.attempt import Attempt, Work
from app.core.runs.jobs import time_limit
from app.core.runs.outcome import (
    Interrupted,
    TimedOut,
    outcome_of,
    record,
    record_failure,
    record_fenced,
)
from app.core.runs.traces import Traces
from app.core.schedules import ticks, work
from app.core.schedules.actions import NO_ACTIONS, Actions
from app.core.schedules.ticks import Plan
from app.core.workers import claiming, recovery
from app.core.workers.actions import ActionRunner
from app.core.workers.chores import Chore, Chores, LocalChore
from app.core.workers.dispatcher import Dispatcher
from app.core.workers.liveness import Liveness
from app.core.workers.log_keeper import LogKeeper
from app.core.workers.timing import DEFAULT_TIMING, Timing
from app.core.workers.wake_ups import WakeUps
from app.db import address
from app.db.engine import create_engine

logger = logging.getLogger(__name__)

LAG_HEARTBEATS = 60
"""Heartbeats over which the maximum loop lag is reported."""

ANSWER_TIMEOUT = 5.0
"""Seconds after which a session that does not answer counts as lost, for each server that the
address names, because libpq waits for a silent server before it tries the next one."""


class Engine:
    """Executes runs in this process, and recovers the runs of dead workers.

    Args:
        settings: the address of PostgreSQL, the timeouts and the retries.
        kind: the kind of worker: ``arq`` or ``api``.
        dispatcher: sends wake-ups for runs that go back to the queue.
        work: the function that does the work of a run.
        plan: the function that says which sources a run covers; None means that this worker
            creates no runs of schedules.
        timing: see :class:`Timing`.
        chores: that this worker does beside the runs.
        actions: what this worker does at the ticks of schedules that create no runs.

    Raises:
        UserError: the settings ask for traces, and the packages that send them are not installed.

    Attributes:
        db: the pool of connections, with one for each attempt and action, and one each for claims,
            recovery and chores.
        liveness: the session of this worker, by which others see that it is alive.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        kind: str,
        dispatcher: Dispatcher,
        work: Work,
        plan: Plan | None = None,
        timing: Timing = DEFAULT_TIMING,
        chores: Sequence[Chore | LocalChore] = (),
        actions: Actions = NO_ACTIONS,
    ) -> None:
        dsn = settings.database_url.get_secret_value()
        self.liveness = Liveness(
            dsn,
            kind=kind,
            queue=settings.arq_queue_name,
            slots=settings.arq_max_jobs,
            timing=timing,
        )
        self.db = create_engine(
            dsn,
            session=self.liveness.session,
            pool_size=settings.arq_max_jobs + len(actions) + 3,
        )
        self._chores = Chores(self.db, chores, self._log)
        self._actions = ActionRunner(
            self.db, actions, limit=settings.arq_job_timeout, log=self._log
        )
        self._traces = Traces.of(settings, self.liveness.session)
        self._telling: asyncio.Task[None] | None = None
        self._autocommit = self.db.execution_options(isolation_level="AUTOCOMMIT")
        self._log_keeper = LogKeeper(self._autocommit, self._log)
        # kept between two passes, which saves a statement to see whether it is alive
        self._recovering: AsyncConnection | None = None
        self._wake_ups = WakeUps(dispatcher)
        self._answer_timeout = ANSWER_TIMEOUT * address.count_hosts(dsn)
        self._settings = settings
        self._work = work
        self._plan = plan
        self._timing = timing
        # None while the claim is on its way to PostgreSQL
        self._attempts: dict[tuple[int, int], Attempt | None] = {}
        self._claiming = asyncio.Lock()
        self._living: asyncio.Task[None] | None = None
        self._lags: deque[float] = deque(maxlen=LAG_HEARTBEATS)

    async def start(self) -> None:
        """Become a living worker.

        Raises:
            UserError: PostgreSQL cannot be reached, or does not have the schema of this code.
        """
        await check_schema(self.db)
        with explain_refusals(self.db):
            await self.liveness.connect()
        if self._traces is not None:
            await self._traces.start(self.db)
        self._log_keeper.start()
        self._living = asyncio.create_task(self._live(), name="heartbeats")

    async def stop(self) -> None:
        """End the life of this worker. Its attempts must have ended before."""
        self._log_keeper.stop()
        if self._living is not None:
            await cancelling.end(self._living, within=ANSWER_TIMEOUT)
        await self._release_orphans()
        await self._actions.stop(within=ANSWER_TIMEOUT)
        await self._chores.stop(within=ANSWER_TIMEOUT)
        await self._wake_ups.stop(within=ANSWER_TIMEOUT)
        if self._telling is not None:
            await asyncio.wait({self._telling})
        await self._stop_recovering()
        if self._traces is not None:
            if self.liveness.alive:
                await self._send_traces()
                await self._stop_recovering()
            await self._traces.stop()
        try:
            await self.liveness.stop()
        except psycopg.Error as error:
            logger.warning("PostgreSQL is unavailable while the worker stops: %s", error)
        await self.db.dispose()

    @property
    def ready(self) -> bool:
        """Whether a run could be claimed here now."""
        alone = any(attempt is not None and attempt.alone for attempt in self._attempts.values())
        return self.liveness.alive and not alone

    @property
    def busy(self) -> int:
        """How many attempts are under way here."""
        return len(self._attempts)

    async def claim(self, run_id: int, epoch: int) -> Attempt | None:
        """Take a queued run; return None if it is not queued under this epoch.

        Raises:
            NotHere: this worker cannot take the run now; the run stays queued.
            sqlalchemy.exc.OperationalError: PostgreSQL cannot be reached.
        """
        async with self._claiming:
            key = (run_id, epoch)
            worker_id = self.liveness.worker_id
            if key in self._attempts:
                return None
            if worker_id is None or not self.ready:
                raise NotHere("this worker cannot take a run now")
            idle = not self._attempts
            attempt: Attempt | None = None
            self._attempts[key] = None
            try:
                async with self.db.begin() as connection:
                    claimed = await claiming.claim(
                        connection, run_id, epoch, worker_id, idle=idle, begin=self._timing.begin
                    )
                if claimed is not None:
                    ref, alone = claimed
                    attempt = self._attempts[key] = Attempt(self.db, ref, alone=alone)
            finally:
                # if the claim was committed although its answer was lost, recovery releases the run
                if attempt is None:
                    del self._attempts[key]
            return attempt

    async def execute(self, attempt: Attempt) -> None:
        """Do the work of a claimed run, and record how it ended.

        If the calling task is cancelled, this is a clean stop: the run goes back to the queue.
        """
        ref = attempt.ref
        traced = nullcontext() if self._traces is None else self._traces.attempt(ref)
        with (
            traced,
            bound_contextvars(
                run=ref.run_id, epoch=ref.epoch, job=ref.job_id, worker=self.liveness.worker_id
            ),
        ):
            self._log_keeper.begin(ref.key)
            timeout = time_limit(ref.task, self._settings.arq_job_timeout)
            attempt.task = asyncio.create_task(_start(self._work, attempt))
            # a cancellation that was swallowed during the claim counts too, see `cancelling`
            interrupted = bool(_caller().cancelling())
            if not interrupted:
                try:
                    await asyncio.wait({attempt.task}, timeout=timeout)
                except asyncio.CancelledError:
                    interrupted = True
            await asyncio.shield(
                asyncio.create_task(self._conclude(attempt, timeout, interrupted=interrupted))
            )
        if interrupted:
            raise asyncio.CancelledError

    async def _conclude(self, attempt: Attempt, timeout: float, *, interrupted: bool) -> None:  # noqa: ASYNC109 - the one that has passed
        task = attempt.task
        assert task is not None
        try:
            await cancelling.end(task, within=self._timing.stop)
            outcome = outcome_of(task, interrupted=interrupted)
            changed = None
            async with self.db.begin() as connection:
                if not attempt.superseded:
                    changed = await record(
                        connection, attempt, outcome, timeout=timeout, settings=self._settings
                    )
                if changed is None:
                    await record_fenced(connection, attempt, self.liveness.worker_id)
        except Exception as error:
            if is_unavailable(error):
                logger.warning("PostgreSQL is unavailable, the run is released later: %s", error)
                return
            # without a record, the run would be retried at once and without end
            logger.exception(
                "the end of the attempt could not be recorded; it is recorded as a failure"
            )
            async with self.db.begin() as connection:
                await record_failure(connection, attempt, "see the worker's log", self._settings)
        else:
            queued = isinstance(outcome, Interrupted) or (
                isinstance(outcome, TimedOut) and attempt.progressed
            )
            if changed is not None and queued:
                # the run need not wait for anything: another worker can continue at once
                self._wake_ups.send({changed: False})
        finally:
            await self._log_keeper.end(attempt.ref.key)
            del self._attempts[attempt.ref.key]

    async def _live(self) -> None:
        """Send heartbeats, recover runs and begin chores, about once a second, until cancelled."""
        well = True
        while True:
            was_well, well = well, await self._heartbeat()
            if well:
                await self._recover()
                await self._do_ticks()
                await self._send_traces()
                await self._store_lines()
                self._chores.begin()
            # without its lock this worker looks dead: after the first failure it connects at once
            if well or not was_well:
                due = asyncio.get_running_loop().time() + self._timing.heartbeat
                await asyncio.sleep(self._timing.heartbeat)
                self._lags.append(asyncio.get_running_loop().time() - due)

    async def _heartbeat(self) -> bool:
        """Send a heartbeat; if that fails, close the session and return False."""
        try:
            async with asyncio.timeout(self._answer_timeout):
                await self.liveness.connect()
                await self.liveness.beat(max(self._lags, default=0.0))
        except Exception as error:  # noqa: BLE001 - it is logged
            self._log("the heartbeat", error)
            logger.warning("lost the session with PostgreSQL; a new one is opened")
            await self.liveness.drop()
            return False
        return True

    async def _recover(self) -> None:
        """Stop attempts that have lost their run, and recover runs that have lost their attempt."""
        try:
            async with asyncio.timeout(self._answer_timeout):
                if self._recovering is None:
                    self._recovering = await self._autocommit.connect()
                connection = self._recovering
                worker_id = self.liveness.worker_id
                assert worker_id is not None
                # what is claimed while the question is on its way is in neither of the two
                before = {key: each for key, each in self._attempts.items() if each is not None}
                running = await recovery.running_here(connection, worker_id)
                for key in before.keys() - running:
                    if self._attempts.get(key) is before[key]:
                        before[key].supersede()
                if orphans := running - self._attempts.keys():
                    await recovery.release(connection, orphans)
                if self.liveness.settled:
                    await recovery.take_from_the_dead(connection, self._timing)
                self._wake_ups.send(await recovery.wake_ups_due(connection, self._timing))
        except Exception as error:  # noqa: BLE001 - it is logged
            self._log("recovery", error)
            await self._stop_recovering()

    async def _release_orphans(self) -> None:
        """Release the runs of claims that were cancelled between their commit and the answer."""
        worker_id = self.liveness.worker_id
        if not self.liveness.alive or worker_id is None:
            return
        try:
            async with asyncio.timeout(self._answer_timeout), self.db.begin() as connection:
                if orphans := await recovery.running_here(connection, worker_id):
                    await recovery.release(connection, orphans)
        except Exception as error:  # noqa: BLE001 - it is logged
            self._log("releasing what was claimed at the stop", error)

    async def _do_ticks(self) -> None:
        """Create the runs of schedules that are due, and begin with their other work."""
        connection, worker_id = self._recovering, self.liveness.worker_id
        if self._plan is None or connection is None or worker_id is None:
            return
        try:
            async with asyncio.timeout(self._answer_timeout):
                while (look := await work.look(connection, worker_id)).due:
                    async with self.db.begin() as transaction:
                        created = await ticks.do_next(transaction, self._plan)
                    if created is None:
                        break  # another worker is doing it
                    self._wake_ups.send(dict.fromkeys(created, False))
                settled = self.liveness.settled
                await self._actions.follow(connection, look, worker_id, settled=settled)
        except Exception as error:  # noqa: BLE001 - it is logged
            self._log("doing the ticks of schedules", error)

    async def _send_traces(self) -> None:
        """Send the spans of attempts and runs that have ended, on whichever worker."""
        if self._traces is not None:
            # not cut off by the end of the worker, because nobody else sends what it has taken
            self._telling = asyncio.create_task(self._send_ended(self._traces), name="traces")
            await asyncio.shield(self._telling)

    async def _send_ended(self, traces: Traces) -> None:
        try:
            async with asyncio.timeout(self._answer_timeout):
                if self._recovering is None:
                    self._recovering = await self._autocommit.connect()
                await traces.send_ended(self._recovering)
        except Exception as error:  # noqa: BLE001 - it is logged
            self._log("sending traces", error)
            await self._stop_recovering()

    async def _store_lines(self) -> None:
        """Store what the attempts have logged since the last time."""
        connection = self._recovering
        if connection is not None and not await self._log_keeper.store(connection):
            await self._stop_recovering()

    async def _stop_recovering(self) -> None:
        if self._recovering is not None:
            connection, self._recovering = self._recovering, None
            # it may be broken, and a broken one cannot be given back to the pool
            await connection.invalidate()
            await connection.close()

    def _log(self, what: str, error: Exception) -> None:
        if is_unavailable(error) or isinstance(error, OSError | TimeoutError):
            logger.warning("%s failed, PostgreSQL is unavailable: %s", what, error or "no answer")
        elif (known := explain(self.db, error)) is not None:
            logger.error("%s failed, the worker goes on: %s", what, known)
        else:
            logger.error("%s failed, the worker goes on", what, exc_info=error)


def _caller() -> asyncio.Task[Any]:
    task = asyncio.current_task()
    assert task is not None
    return task


async def _start(work: Work, attempt: Attempt) -> None:
    await work(attempt)
