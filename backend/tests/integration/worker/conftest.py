import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from arq.connections import ArqRedis
from psycopg.rows import dict_row

from app.core.arq_redis import connect
from app.core.config import Settings
from sandbox.options import Options
from sandbox.server import Sandbox

BACKEND = Path(__file__).resolve().parents[3]
QUEUE = "kidney_genetics_tasks"


class Plant:
    """Real worker processes on a real PostgreSQL and Redis, with the sandbox as upstream."""

    def __init__(self, env: dict[str, str], sandbox: Sandbox, logs: Path) -> None:
        self.env = env
        self.sandbox = sandbox
        self.logs = logs
        self.processes: list[subprocess.Popen[bytes]] = []

    def worker(self, **env: str) -> subprocess.Popen[bytes]:
        """Start ``arq app.core.arq_worker.WorkerSettings``."""
        return self._start("arq", "app.core.arq_worker.WorkerSettings", **env)

    def _start(self, *arguments: str, **env: str) -> subprocess.Popen[bytes]:
        log = self.logs / f"{len(self.processes)}.log"
        with log.open("wb") as file:
            process = subprocess.Popen(
                [sys.executable, "-m", *arguments],
                cwd=BACKEND,
                env=self.env | env,
                stdout=file,
                stderr=subprocess.STDOUT,
            )
        self.processes.append(process)
        return process

    def log(self, process: subprocess.Popen[bytes]) -> str:
        return (self.logs / f"{self.processes.index(process)}.log").read_text()

    def cli(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Call the command line."""
        return subprocess.run(
            [sys.executable, "-m", "app.cli", *arguments],
            cwd=BACKEND,
            env=self.env,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def redis(self) -> ArqRedis:
        return connect(self.env["REDIS_URL"], QUEUE)

    def rows(self, query: str, **values: Any) -> list[dict[str, Any]]:
        with psycopg.connect(self.env["DATABASE_URL"], row_factory=dict_row) as connection:
            return connection.execute(query, values).fetchall()

    async def until(self, holds: Callable[[dict[str, Any]], bool], seconds: float = 60) -> Any:
        """Wait until the newest run is as described."""
        async with asyncio.timeout(seconds):
            while True:
                found = self.rows(
                    "SELECT r.*, w.pid, (SELECT coalesce(sum(done), 0) FROM run_sources s"
                    " WHERE s.run_id = r.id) AS done FROM runs r"
                    " LEFT JOIN workers w ON w.id = r.worker_id ORDER BY r.id DESC LIMIT 1"
                )
                if found and holds(found[0]):
                    return found[0]
                await asyncio.sleep(0.05)

    async def says(self, process: subprocess.Popen[bytes], words: str) -> None:
        """Wait until a process has logged something."""
        async with asyncio.timeout(30):
            while words not in self.log(process):
                await asyncio.sleep(0.05)

    async def ended(self) -> Any:
        return await self.until(lambda r: r["state"] in {"succeeded", "failed", "cancelled"})

    def stop(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.kill()
                process.wait()


@pytest.fixture
def plant(settings: Settings, redis_url: str, tmp_path: Path) -> Iterator[Plant]:
    # 4 summaries a second at most in flight: a run lasts long enough to be met half-way
    options = Options(genes=400, variants_per_gene=20, limits="off", cache_dir=tmp_path)
    with Sandbox(options) as sandbox:
        env = os.environ | sandbox.settings
        env |= {
            "DATABASE_URL": settings.database_url.get_secret_value(),
            "REDIS_URL": redis_url,
            "USE_ARQ_WORKER": "true",
            "CACHE_DIR": str(tmp_path / "cache"),
            "CLINVAR_BULK_THRESHOLD": "1000000",
            "NCBI_RATE": "20",
        }
        plant = Plant(env, sandbox, tmp_path)
        yield plant
        plant.stop()


@pytest.fixture
def genes(plant: Plant) -> Plant:
    """400 genes are in the database."""
    done = plant.cli("genes-import", "hgnc")
    assert done.returncode == 0, done.stderr
    return plant
