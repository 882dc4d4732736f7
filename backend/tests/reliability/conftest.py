import asyncio
import contextlib
import json
import os
import random
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import psutil
import psycopg
import pytest

from harness.timing import limit, scaled
from sandbox.options import Options
from sandbox.server import Sandbox
from tests.plant import Plant, Process
from tests.reliability.ledger import WATCH, Ledger
from tests.reliability.more import Journal

BATCH = 50
"""Genes that HGNC is asked about together, one batch at a time."""

TAKEN_UP = {"claimed", "taken over"}
"""What a run's event is called when a worker takes it up."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("reliability")


class Scene(Plant):
    """Real processes, and a record of every write they make."""

    def __init__(self, env: dict[str, str], sandbox: Sandbox, folder: Path) -> None:
        super().__init__(env, sandbox, folder)
        self.journal = Journal(folder / "journal")
        self.ledger = Ledger(self.rows)

    def add_sources(self, **habits: dict[str, Any]) -> None:
        """Add sources to the processes that are started later."""
        self.through = ("tests.reliability.more",)
        self.env |= {
            "MORE_SOURCES": json.dumps(habits),
            "MORE_JOURNAL": str(self.folder / "journal"),
        }

    def client(self, address: str) -> httpx.AsyncClient:
        """Return an administrator's client of an API."""
        token = {"Authorization": f"Bearer {self.env['ADMIN_TOKEN']}"}
        return httpx.AsyncClient(base_url=address, headers=token, timeout=30)

    def prepare(self) -> None:
        """Import the sandbox's genes, and record all writes."""
        with psycopg.connect(self.env["DATABASE_URL"]) as connection:
            connection.execute(WATCH)
        self.fill()

    async def workers(self, count: int, **env: str) -> dict[int, Process]:
        """Start workers and wait until they are alive; return them by pid."""
        started = [self.worker(**env) for _ in range(count)]
        for process in started:
            await self.says(process, "is alive")
        return {process.pid: process for process in started}

    async def half_way(self, run_id: int, done: int = 1) -> Any:
        """Wait until a run is in progress and has answers for a number of genes."""
        return await self.until(
            lambda r: r["state"] == "running" and r["done"] >= done, run_id=run_id
        )

    @asynccontextmanager
    async def stuck_in_a_commit(self, run_id: int) -> AsyncIterator[int]:
        """Block the next commit after it has locked the run's row; yield its worker's pid."""
        await self.half_way(run_id, BATCH)
        with psycopg.connect(self.env["DATABASE_URL"]) as held:
            held.execute("LOCK TABLE annotations IN EXCLUSIVE MODE")
            async with limit():
                while not self.rows(
                    "SELECT pid FROM pg_locks"
                    " WHERE NOT granted AND relation = 'annotations'::regclass"
                ):
                    await asyncio.sleep(0.02)
            yield (await self.half_way(run_id))["pid"]

    def events(self, run_id: int) -> list[dict[str, Any]]:
        return self.rows(
            "SELECT extract(epoch FROM at)::float8 AS at, epoch, event, detail FROM run_events"
            " WHERE run_id = %(id)s ORDER BY id",
            id=run_id,
        )

    def count(self, run_id: int, event: str) -> int:
        return [each["event"] for each in self.events(run_id)].count(event)

    async def started_after(self, run_id: int, moment: float, seconds: float = 60) -> float:
        """Wait until a run has been started after a moment; return the seconds between them."""
        async with limit(seconds):
            while True:
                for each in self.events(run_id):
                    if each["event"] in TAKEN_UP and each["at"] > moment:
                        return float(each["at"] - moment)
                await asyncio.sleep(0.1)

    def said(self, process: Process, job: str) -> list[str]:
        """Return the lines that a process has logged about a wake-up."""
        lines = [line for line in self.log(process).splitlines() if line.startswith("{")]
        return [each["event"] for each in map(json.loads, lines) if each.get("job") == job]

    def story(self, run_id: int) -> str:
        """Return the events of a run, for a message."""
        return "\n".join(
            f"{datetime.fromtimestamp(e['at'], UTC):%X.%f} {e['epoch']} {e['event']} {e['detail']}"
            for e in self.events(run_id)
        )

    def check(self, *run_ids: int) -> None:
        """Assert that succeeded runs lost and doubled no answers, and that fencing worked."""
        for run_id in run_ids:
            story = self.story(run_id)
            run = self.rows("SELECT state, error FROM runs WHERE id = %(id)s", id=run_id)[0]
            assert run == {"state": "succeeded", "error": None}, story
            assert self.ledger.missing(run_id, since=run_id) == [], story
            assert self.ledger.miscounted(run_id) == [], story
            unknown = "SELECT source FROM run_sources WHERE run_id = %(id)s AND unknown > 0"
            assert self.rows(unknown, id=run_id) == [], story
        self.check_writes()

    def check_writes(self) -> None:
        """Assert that no answer was written twice for a run, or by a superseded attempt."""
        assert self.ledger.doubled() == []
        assert self.ledger.unlawful() == []

    def counters(self, run_id: int) -> tuple[int, int, int]:
        """Return the numbers of attempts, interruptions and losses of a run."""
        run = self.rows("SELECT * FROM runs WHERE id = %(id)s", id=run_id)[0]
        return run["attempts"], run["interruptions"], run["losses"]

    def repeats(self, endpoint: str = "hgnc.fetch") -> int:
        """Return how often an endpoint was asked again about a gene."""
        seen: dict[str, int] = self.sandbox.stats()["genes"].get(endpoint, {"repeats": 0})
        return seen["repeats"]


MakeScene = Callable[..., Scene]


@pytest.fixture
def make_scene(
    tmp_path: Path, redis_url: str, request: pytest.FixtureRequest
) -> Iterator[MakeScene]:
    """Prepare the upstreams with their genes, a database and Redis, but no process."""
    with ExitStack() as stack:

        def make(
            *,
            genes: int = 400,
            variants: int = 5,
            rates: dict[str, float] | None = None,
            database: str | None = None,
            **env: str,
        ) -> Scene:
            url = database or request.getfixturevalue("database_url")
            options = Options(
                genes=genes,
                variants_per_gene=variants,
                limits="off",
                rates=rates or {},
                cache_dir=tmp_path / "sandbox",
            )
            sandbox = stack.enter_context(Sandbox(options))
            mine = os.environ | sandbox.settings
            mine |= {
                "DATABASE_URL": url,
                "REDIS_URL": redis_url,
                "USE_ARQ_WORKER": "true",
                "ADMIN_TOKEN": "a-token-of-the-tests",
                "CACHE_DIR": str(tmp_path / "cache"),
                "HGNC_BULK_THRESHOLD": "1000000",
                "CLINVAR_BULK_THRESHOLD": "1000000",
                "UPSTREAM_BACKOFF": "0.05",
            }
            scene = Scene(mine | env, sandbox, tmp_path)
            scene.prepare()
            stack.callback(scene.end)
            return scene

        yield make


@pytest.fixture
def scene(make_scene: MakeScene) -> Scene:
    """400 genes, of which HGNC serves 60 per second."""
    return make_scene(rates={"hgnc": 60.0})


@pytest.fixture
def seed() -> random.Random:
    return random.Random(20)


async def gone(process: Process, seconds: float) -> tuple[int, float]:
    """Wait for a process to end; return its exit status and the seconds that it took."""
    began = time.monotonic()
    status = await asyncio.to_thread(process.wait, scaled(seconds))
    return status, time.monotonic() - began


async def parsing_child(pid: int) -> psutil.Process:
    """Wait for a worker's process that reads the bulk table, and freeze it."""
    async with limit():
        while True:
            for child in psutil.Process(pid).children():
                with contextlib.suppress(psutil.NoSuchProcess):
                    if any(file.path.endswith(".gz") for file in child.open_files()):
                        child.suspend()
                        return child
            await asyncio.sleep(0.005)
