"""Real processes of the project on a real PostgreSQL and Redis, with the sandbox as upstream."""

import asyncio
import contextlib
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import psycopg
from arq.connections import ArqRedis
from psycopg.rows import dict_row

from app.core.arq.client import connect
from sandbox.server import Sandbox

BACKEND = Path(__file__).resolve().parents[1]
QUEUE = "kidney_genetics_tasks"
ENDED = {"succeeded", "failed", "cancelled"}

Process = subprocess.Popen[bytes]


class Plant:
    """Starts workers, APIs and commands, and looks at what they have written.

    Attributes:
        env: their environment.
        sandbox: their upstream.
        processes: all that were started.
        through: a module that starts the programs, in front of their own names.
        place: a command that starts them elsewhere, in front of all.
    """

    def __init__(self, env: dict[str, str], sandbox: Sandbox, logs: Path) -> None:
        self.env = env
        self.sandbox = sandbox
        self.processes: list[Process] = []
        self.through: tuple[str, ...] = ()
        self.place: tuple[str, ...] = ()
        self._logs = logs

    def worker(self, **env: str) -> Process:
        """Start ``arq app.core.arq_worker.WorkerSettings``."""
        return self.start("arq", "app.core.arq_worker.WorkerSettings", **env)

    async def api(self, **env: str) -> tuple[Process, str]:
        """Start the API on a free port, and return its address once it listens."""
        process = self.start("app.cli", "api", "--port", "0", **env)
        await self.says(process, "Application startup complete")
        address = re.search(r"listens on (http://\S+)", self.log(process))
        assert address
        return process, address[1]

    def start(self, *arguments: str, **env: str) -> Process:
        """Start a module with its arguments."""
        log = self._logs / f"{len(self.processes)}.log"
        with log.open("wb") as file:
            process = subprocess.Popen(
                [*self.place, sys.executable, "-m", *self.through, *arguments],
                cwd=BACKEND,
                env=self.env | env,
                stdout=file,
                stderr=subprocess.STDOUT,
            )
        self.processes.append(process)
        return process

    def log(self, process: Process) -> str:
        return (self._logs / f"{self.processes.index(process)}.log").read_text()

    def cli(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Call the command line."""
        return subprocess.run(
            [sys.executable, "-m", *self.through, "app.cli", *arguments],
            cwd=BACKEND,
            env=self.env,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def annotate(self, *arguments: str) -> int:
        """Start a run with the command line, and return its id."""
        done = self.cli("annotate", "--json", *arguments)
        assert done.returncode == 0, done.stderr
        run_id: int = json.loads(done.stdout)["id"]
        return run_id

    def redis(self) -> ArqRedis:
        return connect(self.env["REDIS_URL"], QUEUE)

    def rows(self, query: str, **values: Any) -> list[dict[str, Any]]:
        """Read or change the database behind everybody's back."""
        with psycopg.connect(self.env["DATABASE_URL"], row_factory=dict_row) as connection:
            cursor = connection.execute(query, values)
            return cursor.fetchall() if cursor.description else []

    async def until(
        self,
        holds: Callable[[dict[str, Any]], bool],
        seconds: float = 60,
        *,
        run_id: int | None = None,
    ) -> Any:
        """Wait until a run, the newest if none is named, is as described."""
        async with asyncio.timeout(seconds):
            while True:
                found = self.rows(
                    "SELECT r.*, w.pid, (SELECT coalesce(sum(done), 0) FROM run_sources s"
                    " WHERE s.run_id = r.id) AS done FROM runs r"
                    " LEFT JOIN workers w ON w.id = r.worker_id"
                    " WHERE %(run_id)s::bigint IS NULL OR r.id = %(run_id)s"
                    " ORDER BY r.id DESC LIMIT 1",
                    run_id=run_id,
                )
                if found and holds(found[0]):
                    return found[0]
                await asyncio.sleep(0.05)

    async def says(self, process: Process, words: str, seconds: float = 30) -> None:
        """Wait until a process has logged something."""
        async with asyncio.timeout(seconds):
            while words not in self.log(process):
                await asyncio.sleep(0.05)

    async def ended(self, run_id: int | None = None, seconds: float = 60) -> Any:
        return await self.until(lambda r: r["state"] in ENDED, seconds, run_id=run_id)

    def stop(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                # uvicorn's --reload serves from a child that would be left behind
                for each in psutil.Process(process.pid).children(recursive=True):
                    with contextlib.suppress(psutil.NoSuchProcess):
                        each.kill()
                process.kill()
            process.wait()
