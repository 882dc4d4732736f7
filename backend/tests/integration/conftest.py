import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core import runs
from app.core.attempt import Attempt, Work
from app.core.config import Settings
from app.core.dispatch import InProcessDispatcher
from app.core.engine import Engine
from app.core.executor import Executor
from app.core.jobs import RunRequest
from app.core.runs import Created
from app.core.timing import Timing
from app.db.engine import create_engine

QUICK = Timing(beat=0.05, stale=2.0, settle=0.3, ring_again=0.2, stop=2.0)


class Bench:
    """The job engine on a real PostgreSQL, with work that the test brings."""

    def __init__(self, settings: Settings, db: AsyncEngine) -> None:
        self.settings = settings
        self.db = db

    async def request(self, sources: Iterable[str] | None = ("a",), mode: str = "smart") -> Created:
        asked = RunRequest.of(sources, mode)
        async with self.db.begin() as connection:
            return await runs.create(connection, asked, asked.sources or ("a", "b", "c"))

    @asynccontextmanager
    async def worker(
        self, work: Work, *, slots: int = 3, timing: Timing = QUICK, **settings: Any
    ) -> AsyncIterator[Engine]:
        """A process' part of the engine, that executes runs in this process."""
        async with AsyncExitStack() as stack:
            dispatcher = InProcessDispatcher()
            engine = Engine(
                self.settings.model_copy(update=settings),
                kind="api",
                dispatcher=dispatcher,
                work=work,
                timing=timing,
            )
            await engine.start()
            stack.push_async_callback(engine.stop)
            executor = Executor(engine, dispatcher, slots=slots, pause=timing.beat)
            executor.start()
            stack.push_async_callback(executor.stop)
            yield engine

    async def run(self, run_id: int) -> Any:
        async with self.db.connect() as connection:
            return (
                await connection.execute(text("SELECT * FROM runs WHERE id = :id"), {"id": run_id})
            ).one()

    async def events(self, run_id: int) -> list[str]:
        async with self.db.connect() as connection:
            found = await connection.execute(
                text("SELECT event FROM run_events WHERE run_id = :id ORDER BY id"),
                {"id": run_id},
            )
            return list(found.scalars())

    async def until(self, run_id: int, holds: Callable[[Any], bool], seconds: float = 20) -> Any:
        """Wait until the run's row is as described."""
        async with asyncio.timeout(seconds):
            while not holds(run := await self.run(run_id)):
                await asyncio.sleep(0.02)
        return run

    async def ended(self, run_id: int, seconds: float = 20) -> Any:
        return await self.until(
            run_id, lambda r: r.state in {"succeeded", "failed", "cancelled"}, seconds
        )


@pytest.fixture
async def bench(settings: Settings) -> AsyncIterator[Bench]:
    db = create_engine(settings.database_url.get_secret_value(), session="test")
    yield Bench(settings, db)
    await db.dispose()


Step = Callable[[Attempt], Awaitable[None]]


async def commit(attempt: Attempt) -> None:
    """Commit some progress."""
    async with attempt.transaction(progress=True):
        pass
