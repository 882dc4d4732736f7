import asyncio
import logging
from collections.abc import Sequence
from contextlib import nullcontext
from functools import partial
from typing import Any

import psycopg

from app.core.config import Settings
from app.core.errors import NotHere
from app.core.postgres.schema import check_schema, explain_refusals
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
from app.core.schedules.actions import NO_ACTIONS, Actions
from app.core.schedules.ticks import Plan
from app.core.workers import claiming
from app.core.workers.actions import ActionRunner
from app.core.workers.chores import Chore, Chores, LocalChore
from app.core.workers.dispatcher import Dispatcher
from app.core.workers.failures import log_failure
from app.core.workers.liveness import Liveness
from app.core.workers.log_keeper import LogKeeper
from app.core.workers.supervisor import Supervisor
from app.core.workers.timing import DEFAULT_TIMING, Timing
from app.core.workers.wake_ups import WakeUps
from app.db import address
from app.db.engine import create_engine

logger = logging.getLogger(__name__)

ANSWER_TIMEOUT = 5.0
"""Seconds after which a session that does not answer counts as lost, for each server that the
address names, because libpq waits for a silent server before it tries the next one."""


class Engine:
    """Claims and executes runs in this process.

    Args:
        settings: the address of PostgreSQL, the timeouts and the retries.
        kind: the kind of worker: ``arq`` or ``api``.
        dispatcher: sends wake-ups for runs that go back to the queue.
        work: does the work of a run.
        plan: returns the sources that a run covers. None means that this worker creates no runs
            for schedules.
        timing: see :class:`Timing`.
        chores: the chores of this worker.
        actions: the functions that this worker calls at the ticks of schedules that create no runs.

    Raises:
        UserError: the settings enable traces, but the packages that send them are not installed.

    Attributes:
        db: the connection pool, with one connection for each attempt and action, and one each for
            claims, recovery and chores.
        liveness: the session that shows to other workers that this worker is alive.
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
        self._settings = settings
        self._work = work
        self._timing = timing
        # None while the claim is on its way to PostgreSQL
        self._attempts: dict[tuple[int, int], Attempt | None] = {}
        self._claiming = asyncio.Lock()
        self._traces = Traces.of(settings, self.liveness.session)
        self._wake_ups = WakeUps(dispatcher)
        log = partial(log_failure, self.db)
        self._log_keeper = LogKeeper(self.db.execution_options(isolation_level="AUTOCOMMIT"), log)
        self._supervisor = Supervisor(
            self.db,
            self.liveness,
            self._attempts,
            answer_timeout=ANSWER_TIMEOUT * address.count_hosts(dsn),
            timing=timing,
            wake_ups=self._wake_ups,
            chores=Chores(self.db, chores, log),
            actions=ActionRunner(self.db, actions, limit=settings.arq_job_timeout, log=log),
            plan=plan,
            log_keeper=self._log_keeper,
            traces=self._traces,
        )

    async def start(self) -> None:
        """Connect, register this worker, and start its background tasks.

        Raises:
            UserError: PostgreSQL cannot be reached, or does not have the schema of this code.
        """
        await check_schema(self.db)
        with explain_refusals(self.db):
            await self.liveness.connect()
        if self._traces is not None:
            await self._traces.start(self.db)
        self._log_keeper.start()
        self._supervisor.start()

    async def stop(self) -> None:
        """Stop the background tasks and disconnect. All attempts must have ended before."""
        self._log_keeper.stop()
        await self._supervisor.stop(within=ANSWER_TIMEOUT)
        try:
            await self.liveness.stop()
        except psycopg.Error as error:
            logger.warning("PostgreSQL is unavailable while the worker stops: %s", error)
        await self.db.dispose()

    @property
    def ready(self) -> bool:
        """Whether this worker can claim a run now."""
        alone = any(attempt is not None and attempt.alone for attempt in self._attempts.values())
        return self.liveness.alive and not alone

    @property
    def busy(self) -> int:
        """The number of attempts in progress on this worker."""
        return len(self._attempts)

    async def claim(self, run_id: int, epoch: int) -> Attempt | None:
        """Claim a queued run; return None if it is not queued and ready under this epoch.

        Raises:
            NotHere: this worker cannot claim the run now; the run stays queued.
            sqlalchemy.exc.OperationalError: PostgreSQL cannot be reached.
        """
        async with self._claiming:
            key = (run_id, epoch)
            worker_id = self.liveness.worker_id
            if key in self._attempts:
                return None
            if worker_id is None or not self.ready:
                raise NotHere("this worker cannot claim a run now")
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
                # if the claim was committed but the reply was lost, recovery releases the run
                if attempt is None:
                    del self._attempts[key]
            return attempt

    async def execute(self, attempt: Attempt) -> None:
        """Do the work of a claimed run, and record the outcome.

        If the calling task is cancelled, the attempt stops and the run goes back to the queue.
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
            # includes a cancellation that was swallowed during the claim, see `cancelling`
            interrupted = bool(_caller().cancelling())
            if not interrupted:
                try:
                    await asyncio.wait({attempt.task}, timeout=timeout)
                except asyncio.CancelledError:
                    interrupted = True
            ending = asyncio.create_task(self._conclude(attempt, timeout, interrupted=interrupted))
            # the outcome must be recorded before the worker's session ends, even if it is stopping
            while not ending.done():
                try:
                    await asyncio.wait({ending})
                except asyncio.CancelledError:
                    interrupted = True
            ending.result()
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
                logger.warning(
                    "PostgreSQL is unavailable; the run will be released when it is back: %s", error
                )
                return
            # without a record, the run would be retried immediately and forever
            logger.exception(
                "the outcome of the attempt could not be recorded; recording a failure instead"
            )
            async with self.db.begin() as connection:
                await record_failure(connection, attempt, "see the worker's log", self._settings)
        else:
            queued = isinstance(outcome, Interrupted) or (
                isinstance(outcome, TimedOut) and attempt.progressed
            )
            if changed is not None and queued:
                # the run has nothing to wait for, so another worker can continue it at once
                self._wake_ups.send({changed: False})
        finally:
            await self._log_keeper.end(attempt.ref.key)
            del self._attempts[attempt.ref.key]


def _caller() -> asyncio.Task[Any]:
    task = asyncio.current_task()
    assert task is not None
    return task


async def _start(work: Work, attempt: Attempt) -> None:
    await work(attempt)
