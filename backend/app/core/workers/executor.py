import asyncio
import logging

from app.core.errors import NotHere
from app.core.postgres.schema import explain
from app.core.postgres.unavailable import is_unavailable
from app.core.workers.claiming import next_ready
from app.core.workers.dispatcher import InProcessDispatcher
from app.core.workers.engine import Engine

logger = logging.getLogger(__name__)


class Executor:
    """Executes queued runs in this process, for when there are no arq workers.

    One process at a time does so, the one that holds the executor's lock: without Redis the
    upstream limits are kept by the process itself.

    Args:
        engine: of this process.
        dispatcher: wakes it.
        slots: how many runs at a time.
        pause: seconds between two looks when nobody wakes it.
    """

    def __init__(
        self, engine: Engine, dispatcher: InProcessDispatcher, *, slots: int, pause: float
    ) -> None:
        self._engine = engine
        self._dispatcher = dispatcher
        self._slots = slots
        self._pause = pause
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look for queued runs."""
        self._loop = asyncio.create_task(self._run(), name="executor")

    async def stop(self) -> None:
        """Put back what is running and stop."""
        tasks = [*self._tasks] + ([self._loop] if self._loop else [])
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            try:
                await self._fill()
            except Exception as error:
                if is_unavailable(error):
                    logger.warning("PostgreSQL is away: %s", error)
                elif (known := explain(self._engine.db, error)) is not None:
                    logger.error("looking for queued runs failed, it goes on: %s", known)  # noqa: TRY400 - the operator's to mend
                else:
                    logger.exception("looking for queued runs failed, it goes on")
            try:
                async with asyncio.timeout(self._pause):
                    await self._dispatcher.wake.wait()
            except TimeoutError:
                continue
            self._dispatcher.wake.clear()

    async def _fill(self) -> None:
        if not self._engine.liveness.alive:
            return
        if not await self._engine.liveness.may_execute():
            # lost with the session, or arq workers have come: the runs go on there
            for task in self._tasks:
                if not task.cancelling():
                    task.cancel()
            return
        while self._engine.busy < self._slots:
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
            task = asyncio.create_task(self._engine.execute(attempt))
            self._tasks.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._dispatcher.wake.set()
        if not task.cancelled() and task.exception() is not None:
            logger.error("an attempt could not be concluded", exc_info=task.exception())
