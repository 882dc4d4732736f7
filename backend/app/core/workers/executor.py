import asyncio
import logging

from app.core.errors import NotHere
from app.core.process import cancelling
from app.core.runs.attempt import Attempt
from app.core.workers.claiming import next_ready
from app.core.workers.dispatcher import InProcessDispatcher
from app.core.workers.engine import Engine
from app.core.workers.failures import log_failure

logger = logging.getLogger(__name__)

CLAIM_TIMEOUT = 2.0
"""Seconds that a claim has to end when the executor stops. Then it is cancelled, and the engine
releases its run."""


class Executor:
    """Executes queued runs in this process if there are no arq workers.

    Only the process that holds the executor's lock executes runs. Without Redis, several processes
    would each have a request budget of their own and together exceed the rate limits.

    Args:
        engine: the engine of this process.
        dispatcher: wakes the executor.
        slots: the maximum number of concurrent runs.
        poll_interval: seconds between two polls for queued runs if no wake-up arrives.
    """

    def __init__(
        self, engine: Engine, dispatcher: InProcessDispatcher, *, slots: int, poll_interval: float
    ) -> None:
        self._engine = engine
        self._dispatcher = dispatcher
        self._slots = slots
        self._poll_interval = poll_interval
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop: asyncio.Task[None] | None = None
        self._stopping = False

    def start(self) -> None:
        """Start to poll for queued runs."""
        self._loop = asyncio.create_task(self._run(), name="executor")

    async def stop(self) -> None:
        """Interrupt the running attempts and stop."""
        self._stopping = True
        self._dispatcher.wake.set()
        self._interrupt()
        if self._loop is not None:
            # not cancelled at once: the claim under way may be committed, and its run then needs
            # an attempt that records the interruption
            await asyncio.wait({self._loop}, timeout=CLAIM_TIMEOUT)
            await cancelling.end(self._loop, within=CLAIM_TIMEOUT)
        self._interrupt()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _interrupt(self) -> None:
        for task in self._tasks:
            if not task.cancelling():
                task.cancel()

    async def _run(self) -> None:
        while not self._stopping:
            try:
                await self._fill()
            except Exception as error:  # noqa: BLE001 - it is logged
                log_failure(self._engine.db, "polling for queued runs", error)
            try:
                async with asyncio.timeout(self._poll_interval):
                    await self._dispatcher.wake.wait()
            except TimeoutError:
                continue
            self._dispatcher.wake.clear()

    async def _fill(self) -> None:
        if not self._engine.liveness.alive:
            return
        if not await self._engine.liveness.may_execute():
            # the lock was lost with the session, or arq workers have started and execute the runs
            self._interrupt()
            return
        while not self._stopping and self._engine.busy < self._slots:
            async with self._engine.db.connect() as connection:
                ready = await next_ready(connection)
            if ready is None:
                return
            try:
                attempt = await self._engine.claim(*ready)
            except NotHere:
                return
            if attempt is None:
                return
            task = asyncio.create_task(self._execute(attempt))
            task.add_done_callback(self._ended)

    async def _execute(self, attempt: Attempt) -> None:
        task = asyncio.current_task()
        assert task is not None
        # not before its first step: a task that is cancelled earlier records no interruption
        self._tasks.add(task)
        await self._engine.execute(attempt)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._dispatcher.wake.set()
        if not task.cancelled() and task.exception() is not None:
            logger.error("the end of an attempt could not be recorded", exc_info=task.exception())
