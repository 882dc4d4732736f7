import asyncio
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from arq.connections import ArqRedis
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.annotation.settings import Settings
from app.core.arq.client import WorkerRedis, connect, connect_worker
from app.core.redis.retry import RedisRetry
from app.core.runs import operations
from app.core.runs.attempt import Attempt, Work
from app.core.runs.operations import Created
from app.core.runs.request import RunRequest
from app.core.schedules.actions import NO_ACTIONS, Actions
from app.core.schedules.ticks import Plan
from app.core.workers.chores import Chore, LocalChore
from app.core.workers.dispatcher import InProcessDispatcher
from app.core.workers.engine import Engine
from app.core.workers.executor import Executor
from app.core.workers.timing import Timing
from app.db.engine import create_engine
from harness.timing import WAIT, limit, scaled
from sandbox.options import Options
from sandbox.server import Sandbox
from services.binaries import postgres_folder
from tests.databases import Session
from tests.forked import Programs
from tests.people import ADA
from tests.plant import QUEUE, THREE_SOURCES, Plant

Query = Callable[..., list[dict[str, Any]]]

QUICK = Timing(
    heartbeat=0.05, stale=scaled(2), settle=0.3, begin=0.0, wake_again=0.2, stop=scaled(2)
)


@pytest.fixture
def query(database_url: str) -> Iterator[Query]:
    """Read or change the database behind everybody's back."""
    session = Session(database_url)

    def do(statement: str, *values: Any) -> list[dict[str, Any]]:
        return session.execute(statement, values)

    yield do
    session.close()


@pytest.fixture
def genes(query: Query) -> None:
    """Three genes are in the database; of one of them no other id is known."""
    query(
        "INSERT INTO genes (hgnc_id, symbol, ensembl_gene_id, entrez_id) VALUES"
        " ('HGNC:9008', 'PKD1', 'ENSG00000008710', '5310'),"
        " ('HGNC:24456', 'C1orf112', NULL, NULL),"
        " ('HGNC:12403', 'TTN', 'ENSG00000155657', '7273')"
    )


@pytest.fixture
def with_pg_dump(monkeypatch: pytest.MonkeyPatch) -> None:
    """The PostgreSQL programs of the wheel come last on the PATH."""
    monkeypatch.setenv("PATH", f"{os.environ['PATH']}:{postgres_folder()}")


@pytest.fixture
def arq_settings(settings: Settings, redis_url: str) -> Settings:
    """Settings under which arq workers execute the runs; there are none."""
    return settings.model_copy(update={"use_arq_worker": True, "redis_url": SecretStr(redis_url)})


@pytest.fixture(scope="session")
def sandbox_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the sandboxes of a session keep the files that they generate."""
    return tmp_path_factory.mktemp("sandbox")


@pytest.fixture
def plant(
    settings: Settings, redis_url: str, sandbox_cache: Path, tmp_path: Path, programs: Programs
) -> Iterator[Plant]:
    """Real processes, none of which has been started."""
    # 4 summaries a second at most in flight: a run lasts long enough to be met halfway
    options = Options(genes=400, variants_per_gene=60, limits="off", cache_dir=sandbox_cache)
    with Sandbox(options) as sandbox:
        env = os.environ | sandbox.settings | THREE_SOURCES
        env |= {
            "DATABASE_URL": settings.database_url.get_secret_value(),
            "REDIS_URL": redis_url,
            "USE_ARQ_WORKER": "true",
            "CACHE_DIR": str(tmp_path / "cache"),
            "CLINVAR_BULK_THRESHOLD": "1000000",
            "NCBI_RATE": "20",
        }
        plant = Plant(env, sandbox, tmp_path, programs)
        yield plant
        plant.end()


@pytest.fixture
async def arq_redis(redis_url: str) -> AsyncIterator[ArqRedis]:
    """The client that the project rings with."""
    redis = connect(redis_url, QUEUE)
    yield redis
    await redis.aclose(close_connection_pool=True)


@pytest.fixture
async def worker_redis(redis_url: str) -> AsyncIterator[WorkerRedis]:
    """The client that a worker which has started hands to arq."""
    redis_retry = RedisRetry("here")
    redis = connect_worker(redis_url, QUEUE, redis_retry)
    await redis.ping()
    redis_retry.started = True
    yield redis
    await redis.aclose(close_connection_pool=True)


@pytest.fixture
def sandbox(sandbox_cache: Path) -> Iterator[Sandbox]:
    """Upstreams that know 30 genes."""
    options = Options(genes=30, variants_per_gene=5, limits="off", cache_dir=sandbox_cache)
    with Sandbox(options) as upstreams:
        yield upstreams


@pytest.fixture
def own_logging() -> Iterator[None]:
    """Undo what the start of a program does to the logging of the tests."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


class Bench:
    """The job engine on a real PostgreSQL, with work that the test brings."""

    def __init__(self, settings: Settings, db: AsyncEngine) -> None:
        self.settings = settings
        self.db = db
        # what a test waits for is asked for in one round trip instead of three
        self._looking = db.execution_options(isolation_level="AUTOCOMMIT")

    async def request(self, sources: Iterable[str] | None = ("a",), mode: str = "smart") -> Created:
        asked = RunRequest.of(sources, mode)
        async with self.db.begin() as connection:
            return await operations.create(
                connection, asked, asked.sources or ("a", "b", "c"), actor=ADA
            )

    @asynccontextmanager
    async def worker(
        self,
        work: Work,
        *,
        slots: int = 3,
        timing: Timing = QUICK,
        plan: Plan | None = None,
        chores: Sequence[Chore | LocalChore] = (),
        actions: Actions = NO_ACTIONS,
        **settings: Any,
    ) -> AsyncIterator[Engine]:
        """A process' part of the engine, that executes runs in this process."""
        async with AsyncExitStack() as stack:
            dispatcher = InProcessDispatcher()
            engine = Engine(
                self.settings.model_copy(update=settings),
                kind="api",
                dispatcher=dispatcher,
                work=work,
                plan=plan,
                timing=timing,
                chores=chores,
                actions=actions,
            )
            await engine.start()
            stack.push_async_callback(engine.stop)
            poll_interval = min(timing.heartbeat, 0.1)
            executor = Executor(engine, dispatcher, slots=slots, poll_interval=poll_interval)
            executor.start()
            stack.push_async_callback(executor.stop)
            yield engine

    async def run(self, run_id: int) -> Any:
        async with self._looking.connect() as connection:
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

    async def until(self, run_id: int, holds: Callable[[Any], bool], seconds: float = WAIT) -> Any:
        """Wait until the run's row is as described."""
        async with limit(seconds):
            while not holds(run := await self.run(run_id)):
                await asyncio.sleep(0.1)
        return run

    async def ended(self, run_id: int, seconds: float = WAIT) -> Any:
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
