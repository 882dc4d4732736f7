"""The processes of a soak, and who replaces those that die."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.rows import dict_row

from harness.launcher import API_READY, WORKER_READY, address
from sandbox.server import Sandbox
from services.postgres import NAME, Postgres
from services.process import ServiceError, tail
from services.redis import Redis
from tests.plant import Plant, Process
from tests.reliability.proxy import SilentProxy

RESTART_SECONDS = 1.0
"""Between a process' death and its replacement, as a service manager would have it."""

STOP_SECONDS = 20.0
"""A process that was told to stop and is there for so long does not stop."""


class Network(SilentProxy):
    """A silent proxy that survives a server which is not there."""

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await super()._serve(reader, writer)
        except OSError:
            writer.transport.abort()


@dataclass
class Post:
    """A place that one process fills at a time.

    Attributes:
        name: for people.
        start: starts the process.
        ready: what it logs once it is.
        process: who fills it now.
        doomed: whether a fault has ended it.
        died_at: when it was found dead, by the monotonic clock.
    """

    name: str
    start: Callable[[], Process]
    ready: str
    process: Process
    doomed: bool = False
    died_at: float | None = None


class Crew(Plant):
    """Three workers and an API that are replaced when they die, and die with this process.

    Attributes:
        postgres: their server.
        redis: their server.
        network: between the last worker and PostgreSQL.
        workers: the places of the workers.
        api: the place of the API.
        unasked: what is known of processes that were up, and ended though no fault ended them.
    """

    def __init__(
        self,
        env: dict[str, str],
        sandbox: Sandbox,
        folder: Path,
        *,
        postgres: Postgres,
        redis: Redis,
        network: Network,
    ) -> None:
        super().__init__(env, sandbox, folder)
        self.postgres = postgres
        self.redis_server = redis
        self.network = network
        self.unasked: list[str] = []
        self._leaving: list[tuple[Process, float]] = []
        self._observer = make_conninfo(postgres.superuser_dsn, dbname=NAME, connect_timeout=5)
        far = {"DATABASE_URL": network.dsn.get_secret_value()}
        self.workers = [
            self._post("worker 1", self.worker, WORKER_READY),
            self._post("worker 2", self.worker, WORKER_READY),
            self._post("worker 3", lambda: self.worker(**far), WORKER_READY),
        ]
        self.api_post = self._post(
            "the API",
            self.api_process,
            API_READY,
        )
        self.posts = [*self.workers, self.api_post]

    def _post(self, name: str, start: Callable[[], Process], ready: str) -> Post:
        return Post(name, start, ready, start())

    def rows(self, query: str, **values: Any) -> list[dict[str, Any]]:
        """Look at the database, also when it lets nobody else in.

        Raises:
            psycopg.OperationalError: it is away.
        """
        with psycopg.connect(self._observer, row_factory=dict_row, autocommit=True) as connection:
            cursor = connection.execute(query, values)
            return cursor.fetchall() if cursor.description else []

    @property
    def address(self) -> str | None:
        """Where the API answers; None while it does not."""
        return address(self.api_post.process) if self.is_ready(self.api_post) else None

    def is_ready(self, post: Post) -> bool:
        """Whether its process has come up and has not ended."""
        return post.process.poll() is None and post.ready in post.process.logged()

    async def all_ready(self, seconds: float = 60) -> None:
        """Wait until every place is filled.

        Raises:
            ServiceError: one is not, in that time; with the end of its log.
        """
        deadline = time.monotonic() + seconds
        while empty := [post for post in self.posts if not self.is_ready(post)]:
            if time.monotonic() > deadline:
                log = tail(empty[0].process.log, 15)
                raise ServiceError(f"{empty[0].name} does not start:\n{log}")
            await asyncio.sleep(0.1)

    def replace(self, post: Post) -> None:
        """Tell a process to stop and start its successor at once, as a deploy does."""
        post.process.terminate()
        self._leaving.append((post.process, time.monotonic()))
        self._fill(post)

    async def look_after(self) -> None:
        """Replace what has died, for as long as this is not cancelled."""
        while True:
            for post in self.posts:
                self._look_at(post)
            for process, since in tuple(self._leaving):
                if process.poll() is not None:
                    process.end()
                    self._leaving.remove((process, since))
                elif time.monotonic() - since > STOP_SECONDS:
                    self.unasked.append(f"pid {process.pid} did not stop")
                    process.kill()
            await asyncio.sleep(0.1)

    def _look_at(self, post: Post) -> None:
        status = post.process.poll()
        if status is None:
            return
        if post.died_at is None:
            post.died_at = time.monotonic()
            post.process.end()
            if not post.doomed and post.ready in post.process.logged():
                log = tail(post.process.log, 15)
                self.unasked.append(
                    f"{post.name} (pid {post.process.pid}) ended by itself,"
                    f" with status {status}:\n{log}"
                )
        elif time.monotonic() - post.died_at >= RESTART_SECONDS:
            self._fill(post)

    def _fill(self, post: Post) -> None:
        post.process, post.doomed, post.died_at = post.start(), False, None
