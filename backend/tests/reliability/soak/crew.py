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
"""Seconds after SIGTERM from which on a process that still runs counts as not stopping."""


class Network(SilentProxy):
    """A silent proxy that continues when its server is down."""

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await super()._serve(reader, writer)
        except OSError:
            writer.transport.abort()


@dataclass
class Post:
    """A role that one process at a time has.

    Attributes:
        name: the name in messages.
        start: starts a process for the role.
        ready: the text that the process logs when it is ready.
        process: the current process.
        doomed: whether a fault has ended the process.
        died_at: when the process was found dead, on the monotonic clock.
    """

    name: str
    start: Callable[[], Process]
    ready: str
    process: Process
    doomed: bool = False
    died_at: float | None = None


class Crew(Plant):
    """Three workers and an API, which are replaced when they die, and which end with this process.

    Attributes:
        postgres: the PostgreSQL server.
        redis: the Redis server.
        network: the network between the last worker and PostgreSQL.
        workers: the roles of the workers.
        api: the role of the API.
        unasked: descriptions of processes that were ready and ended without a fault.
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
        """Execute a statement as the superuser, for whom PostgreSQL reserves connections.

        Raises:
            psycopg.OperationalError: PostgreSQL is unavailable.
        """
        with psycopg.connect(self._observer, row_factory=dict_row, autocommit=True) as connection:
            cursor = connection.execute(query, values)
            return cursor.fetchall() if cursor.description else []

    @property
    def address(self) -> str | None:
        """The address of the API, or None while it is not ready."""
        return address(self.api_post.process) if self.is_ready(self.api_post) else None

    def is_ready(self, post: Post) -> bool:
        """Return whether the process has become ready and has not ended."""
        return post.process.poll() is None and post.ready in post.process.logged()

    async def all_ready(self, seconds: float = 60) -> None:
        """Wait until all processes are ready.

        Raises:
            ServiceError: a process was not ready in time. The message contains the end of its log.
        """
        deadline = time.monotonic() + seconds
        while empty := [post for post in self.posts if not self.is_ready(post)]:
            if time.monotonic() > deadline:
                log = tail(empty[0].process.log, 15)
                raise ServiceError(f"{empty[0].name} does not start:\n{log}")
            await asyncio.sleep(0.1)

    def replace(self, post: Post) -> None:
        """Send SIGTERM to a process and start its successor at once, as a deployment does."""
        post.process.terminate()
        self._leaving.append((post.process, time.monotonic()))
        self._fill(post)

    async def look_after(self) -> None:
        """Replace dead processes until this task is cancelled."""
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
