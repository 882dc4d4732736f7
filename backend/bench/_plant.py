"""Servers and real processes for a measurement, which end with the measurement."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
import psycopg
from psycopg.rows import dict_row

from demo.stage import BACKEND, Process
from services.postgres import Postgres, running_postgres
from services.redis import Redis, running_redis

ALIVE = "is alive"
"""A worker logs this when it holds its lock."""


class Plant:
    """Starts programs with one PostgreSQL and one Redis, and reads the database.

    Attributes:
        postgres: the server; it flushes commits to the disk, as in production.
        redis: the server of all programs.
        env: the environment of the programs that are started from now on.
        through: a module that starts the project's programs; their names follow as its arguments.
    """

    def __init__(self, folder: Path, postgres: Postgres, redis: Redis, stack: ExitStack) -> None:
        self.folder = folder
        self.postgres = postgres
        self.redis = redis
        self.env = os.environ | {
            "DATABASE_URL": postgres.dsn,
            "REDIS_URL": redis.url,
            "USE_ARQ_WORKER": "True",
            "CACHE_DIR": str(folder / "cache"),
        }
        self.through: tuple[str, ...] = ()
        self._stack = stack
        self._started = 0

    def start(self, name: str, *arguments: str, says: str | None, stdout: bool = False) -> Process:
        """Start a module with its arguments, and wait until its log contains `says`, if given.

        Raises:
            ClickException: the program does not start. The message contains the end of its log.
        """
        self._started += 1
        log = self.folder / f"{self._started}.log"
        process = Process(name, *arguments, env=self.env, log=log, stdout=stdout)
        self._stack.callback(process.stop)
        if says is not None:
            process.until(lambda: says in log.read_text(errors="replace"))
        return process

    def worker(self, *, wait: bool = True) -> Process:
        """Start a worker of this project, and wait until it holds its lock."""
        program = (*self.through, "arq", "app.core.arq_worker.WorkerSettings")
        return self.start("a worker", *program, says=ALIVE if wait else None)

    def sandbox(self, *arguments: str) -> str:
        """Start the sandbox, set its addresses in the environment, and return its address."""
        sandbox = self.start("the sandbox", "sandbox", *arguments, says=None, stdout=True)
        for line in sandbox.stdout:
            text = line.decode().strip()
            if text.startswith("#"):
                return self.env["HGNC_REST_URL"].removesuffix("/hgnc")
            name, _, value = text.partition("=")
            self.env[name] = value
        raise click.ClickException(f"the sandbox does not start: {sandbox.log.read_text()}")

    def cli(self, *arguments: str) -> str:
        """Run a command of the project's command line, and return its output.

        Raises:
            ClickException: the command failed. The message contains its error output.
        """
        done = subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-m", *self.through, "app.cli", *arguments],
            cwd=BACKEND,
            env=self.env,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise click.ClickException(f"{' '.join(arguments)}:\n{done.stderr}")
        return done.stdout

    def annotate(self, *arguments: str) -> int:
        """Request a run, and return its id."""
        run_id: int = json.loads(self.cli("annotate", "--json", *arguments))["id"]
        return run_id

    def rows(self, query: str, **values: Any) -> list[dict[str, Any]]:
        """Execute a statement in the project's database, and return the rows if there are any."""
        with psycopg.connect(self.postgres.dsn, row_factory=dict_row) as connection:
            cursor = connection.execute(query, values)
            return cursor.fetchall() if cursor.description else []


@contextmanager
def plant() -> Iterator[Plant]:
    """Start both servers and create the tables."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="bench-")))
        postgres = stack.enter_context(running_postgres(folder / "postgres", fsync=True))
        redis = stack.enter_context(running_redis(folder / "redis"))
        made = Plant(folder, postgres, redis, stack)
        made.cli("migrate")
        yield made
