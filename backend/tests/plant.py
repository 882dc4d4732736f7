"""Real processes of the project on a real PostgreSQL and Redis, with the sandbox as upstream."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
from arq.connections import ArqRedis

from app.annotation.sources import SOURCES
from app.core.arq.client import connect
from harness import BACKEND, Launcher, Process
from harness.launcher import API_READY, address
from harness.timing import WAIT
from harness.waiting import eventually
from sandbox.server import Sandbox
from tests.forked import ForkedProcess, Programs

__all__ = ["BACKEND", "ENDED", "QUEUE", "THREE_SOURCES", "Plant", "Process"]

QUEUE = "kidney_genetics_tasks"
THREE_SOURCES = {"DISABLED_SOURCES": ",".join(SOURCES.keys() - {"hgnc", "ensembl", "clinvar"})}
"""An environment in which a run of all sources takes no longer when sources are added."""

ENDED = {"succeeded", "failed", "cancelled"}
RUN = """
SELECT r.*, w.pid,
       (SELECT coalesce(sum(done), 0) FROM run_sources s WHERE s.run_id = r.id) AS done
FROM runs r LEFT JOIN workers w ON w.id = r.worker_id
WHERE %(run_id)s::bigint IS NULL OR r.id = %(run_id)s
ORDER BY r.id DESC LIMIT 1
"""


class Plant(Launcher):
    """Starts workers, APIs and commands, and waits for what becomes of runs.

    Attributes:
        sandbox: the upstream of all of them, in this process.
        programs: starts all programs, if any: they are processes that share one import.
    """

    def __init__(
        self, env: dict[str, str], sandbox: Sandbox, folder: Path, programs: Programs | None = None
    ) -> None:
        super().__init__(env, folder)
        self.sandbox = sandbox
        self.programs = programs

    def cli(
        self, *arguments: str, seconds: float | None = WAIT
    ) -> "subprocess.CompletedProcess[str]":
        if self.programs is None or self._is_special(self.env):
            return super().cli(*arguments, seconds=seconds)
        return self.programs.run(("app.cli", *arguments), self.env, seconds)

    def _begin(
        self, name: str, arguments: tuple[str, ...], env: dict[str, str], log: Path
    ) -> Process:
        if self.programs is None or self._is_special(env):
            return super()._begin(name, arguments, env, log)
        return ForkedProcess(name, arguments, env=env, log=log, programs=self.programs)

    def _is_special(self, env: dict[str, str]) -> bool:
        """Return whether programs have to be started anew, because something precedes them."""
        there = env.get("PYTHONPATH") == os.environ.get("PYTHONPATH")
        return bool(self.through or self.place or not there)

    def fill(self, count: int | None = None) -> None:
        """Put the sandbox's genes into the database, all or so many, without a process."""
        genes = [
            (gene.hgnc_id, gene.symbol, gene.ensembl_gene_id, gene.entrez_id)
            for gene in self.sandbox.catalogue.genes[:count]
        ]
        with psycopg.connect(self.env["DATABASE_URL"]) as connection:
            connection.cursor().executemany(
                "INSERT INTO genes (hgnc_id, symbol, ensembl_gene_id, entrez_id)"
                " VALUES (%s, %s, %s, %s)",
                genes,
            )

    async def api(self, **env: str) -> tuple[Process, str]:
        """Start the API on a free port, and return its address once it listens."""
        process = self.api_process(**env)
        await self.says(process, API_READY)
        return process, address(process)

    def log(self, process: Process) -> str:
        return process.logged()

    def redis(self) -> ArqRedis:
        return connect(self.env["REDIS_URL"], QUEUE)

    async def until(
        self,
        holds: Callable[[dict[str, Any]], bool],
        seconds: float = WAIT,
        *,
        run_id: int | None = None,
    ) -> Any:
        """Wait until a run, the newest if none is named, is as described."""

        def look() -> dict[str, Any] | None:
            found = self.rows(RUN, run_id=run_id)
            return found[0] if found and holds(found[0]) else None

        return await eventually(look, seconds=seconds)

    async def says(self, process: Process, words: str, seconds: float = WAIT) -> None:
        """Wait until a process has logged something."""
        await eventually(lambda: words in process.logged(), seconds=seconds)

    async def ended(self, run_id: int | None = None, seconds: float = WAIT) -> Any:
        return await self.until(lambda r: r["state"] in ENDED, seconds, run_id=run_id)
