import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from typing import Any

import psycopg

from app.core.config import Settings
from app.core.errors import NotHere
from app.core.postgres.away import is_away
from app.core.postgres.schema import check_schema, explain, explain_refusals
from app.core.process.logs import bound_contextvars
from app.core.runs import attempts
from app.core.runs.attempt import Attempt, Work
from app.core.runs.jobs import time_limit
from app.core.runs.outcome import (
    INTERRUPTED,
    TIMED_OUT,
    outcome_of,
    record,
    record_failure,
    record_fenced,
)
from app.core.runs.transitions import Bell
from app.core.workers import cancelling, recovery
from app.core.workers.dispatcher import Dispatcher
from app.core.workers.liveness import Liveness
from app.core.workers.timing import DEFAULT_TIMING, Timing
from app.db import address
from app.db.engine import create_engine

logger = logging.getLogger(__name__)

LAGS = 60
"""Looks over which the event loop's longest delay is told."""

LOOK_TIMEOUT = 5.0
"""Seconds after which a session that does not answer counts as lost; as many for each server that
the address names, as a silent one among them is waited for before the next is tried."""


class Engine:
    """Executes runs in this process and watches over those of others.

    Args:
        settings: where PostgreSQL is, limits and retries.
        kind: of worker: ``arq`` or ``api``.
        dispatcher: rings for what goes back to the queue.
        work: what a run does.
        timing: see there.

    Attributes:
        db: the pool for attempts, with a connection to spare for each.
        liveness: this worker's life.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        kind: str,
        dispatcher: Dispatcher,
        work: Work,
        timing: Timing = DEFAULT_TIMING,
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
            dsn, session=self.liveness.session, pool_size=settings.arq_max_jobs + 2
        )
        self.dispatcher = dispatcher
        self._hosts = address.count_hosts(dsn)
        self._settings = settings
        self._work = work
        self._timing = timing
        # None while the claim is on its way to PostgreSQL
        self._attempts: dict[tuple[int, int], Attempt | None] = {}
        self._claiming = asyncio.Lock()
        self._watching: asyncio.Task[None] | None = None
        self._ringing: asyncio.Task[None] | None = None
        self._unrung: dict[str, Bell] = {}
        self._lags: deque[float] = deque(maxlen=LAGS)

    async def start(self) -> None:
        """Come to life, and begin to watch.

        Raises:
            UserError: PostgreSQL cannot be reached, or has not the schema that this code needs.
        """
        await check_schema(self.db)
        with explain_refusals(self.db):
            await self.liveness.connect()
        self._watching = asyncio.create_task(self._watch(), name="watch")

    async def stop(self) -> None:
        """Stop watching and end this worker's life; attempts are to have ended before."""
        if self._watching is not None:
            await cancelling.end(self._watching, within=LOOK_TIMEOUT)
        if self._ringing is not None:
            # what is not rung in this time is rung by another worker's recovery
            await asyncio.wait({self._ringing}, timeout=LOOK_TIMEOUT)
        try:
            await self.liveness.stop()
        except psycopg.Error as error:
            logger.warning("PostgreSQL was away at the end: %s", error)
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
        """Take a queued run, or return None when it is not to be had under this epoch.

        A run that may be what kills its workers is taken only by an idle one that has been up for a
        while, and which then takes no other; so it harms nobody else, and it alone is to blame.

        Raises:
            NotHere: this worker cannot take it now; the run stays queued.
            sqlalchemy.exc.OperationalError: when PostgreSQL cannot be reached.
        """
        async with self._claiming:
            key = (run_id, epoch)
            worker_id = self.liveness.worker_id
            if key in self._attempts:
                return None
            if worker_id is None or not self.ready:
                raise NotHere("this worker takes no run now")
            idle = not self._attempts
            self._attempts[key] = None
            bell: Bell | None = None
            try:
                async with self.db.begin() as connection:
                    alone = await attempts.must_run_alone(connection, run_id)
                    if alone and not idle:
                        raise NotHere(f"run {run_id} is to run alone, and this worker is busy")
                    if alone and not await attempts.has_begun(
                        connection, worker_id, self._timing.begin
                    ):
                        raise NotHere(f"run {run_id} is to run alone, and this worker is new")
                    bell = await attempts.claim(connection, run_id, epoch, worker_id)
            finally:
                # if a claim was committed and its answer lost, the watch puts the run back
                if bell is None:
                    del self._attempts[key]
            if bell is None:
                return None
            attempt = self._attempts[key] = Attempt(self.db, bell, alone=alone)
            return attempt

    async def execute(self, attempt: Attempt) -> None:
        """Do the work of a claimed run, to whatever end it comes.

        Cancelling the caller is a clean stop: the run goes back to the queue.
        """
        bell = attempt.bell
        with bound_contextvars(
            run=bell.run_id, epoch=bell.epoch, job=bell.id, worker=self.liveness.worker_id
        ):
            limit = time_limit(bell.task, self._settings.arq_job_timeout)
            attempt.task = asyncio.create_task(_start(self._work, attempt))
            # one that the claim kept to itself counts, too: see `cancelling`
            interrupted = bool(_caller().cancelling())
            if not interrupted:
                try:
                    await asyncio.wait({attempt.task}, timeout=limit)
                except asyncio.CancelledError:
                    interrupted = True
            await asyncio.shield(
                asyncio.create_task(self._conclude(attempt, limit, interrupted=interrupted))
            )
        if interrupted:
            raise asyncio.CancelledError

    async def _conclude(self, attempt: Attempt, limit: float, *, interrupted: bool) -> None:
        task = attempt.task
        assert task is not None
        try:
            await cancelling.end(task, within=self._timing.stop)
            end = outcome_of(task, interrupted=interrupted)
            changed = None
            async with self.db.begin() as connection:
                if not attempt.superseded:
                    changed = await record(
                        connection, attempt, end, limit=limit, settings=self._settings
                    )
                if changed is None:
                    await record_fenced(connection, attempt, self.liveness.worker_id)
        except Exception as error:
            if is_away(error):
                logger.warning("PostgreSQL is away, the run is put back when it returns: %s", error)
                return
            # unrecorded it would be tried again at once and for ever
            logger.exception("the end of the attempt could not be recorded as it was")
            async with self.db.begin() as connection:
                await record_failure(connection, attempt, "see the worker's log", self._settings)
        else:
            again = end is INTERRUPTED or (end is TIMED_OUT and attempt.progressed)
            if changed is not None and again:
                self._ring([changed])
        finally:
            del self._attempts[attempt.key]

    async def _watch(self) -> None:
        """Look after this worker and the others, about once a second, for as long as it lives."""
        well = True
        while True:
            was_well, well = well, False
            try:
                async with asyncio.timeout(LOOK_TIMEOUT * self._hosts):
                    await self._look()
                well = True
            except Exception as error:
                if is_away(error) or isinstance(error, OSError | TimeoutError):
                    logger.warning("lost the session with PostgreSQL: %s", error or "no answer")
                elif (known := explain(self.db, error)) is not None:
                    logger.error("the watch failed, it goes on: %s", known)  # noqa: TRY400 - the operator's to mend
                else:
                    logger.exception("the watch failed, it goes on")
                await self.liveness.drop()
            # without its lock this worker looks dead: the first time it comes back at once
            if well or not was_well:
                due = asyncio.get_running_loop().time() + self._timing.beat
                await asyncio.sleep(self._timing.beat)
                self._lags.append(asyncio.get_running_loop().time() - due)

    async def _look(self) -> None:
        connection = await self.liveness.connect()
        await self.liveness.beat(max(self._lags, default=0.0))
        worker_id = self.liveness.worker_id
        assert worker_id is not None
        # what is claimed while the question is on its way is in neither of the two
        before = {key: attempt for key, attempt in self._attempts.items() if attempt is not None}
        running = await recovery.running_at(connection, worker_id)
        for key in before.keys() - running:
            if self._attempts.get(key) is before[key]:
                before[key].supersede()
        if orphans := running - self._attempts.keys():
            await recovery.put_back(connection, orphans)
        if self.liveness.settled:
            await recovery.take_from_the_dead(connection, self._timing)
        self._ring(await recovery.bells_due(connection, self._timing))

    def _ring(self, ready: Sequence[Bell]) -> None:
        """Ring without waiting: a slow Redis must not make this worker look dead."""
        self._unrung |= {bell.id: bell for bell in ready}
        if self._unrung and (self._ringing is None or self._ringing.done()):
            self._ringing = asyncio.create_task(self._ring_all(), name="ring")

    async def _ring_all(self) -> None:
        while self._unrung:
            ready, self._unrung = self._unrung, {}
            if not await self.dispatcher.ring(list(ready.values())):
                # the next look tries again; what was meanwhile answered ignores its bell
                self._unrung = ready | self._unrung
                return


def _caller() -> asyncio.Task[Any]:
    task = asyncio.current_task()
    assert task is not None
    return task


async def _start(work: Work, attempt: Attempt) -> None:
    await work(attempt)
