"""Servers and processes for a measurement, which stop with it."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from harness import Launcher, Process
from harness.launcher import WORKER_READY
from services.postgres import Postgres, running_postgres
from services.redis import Redis, running_redis


class Plant(Launcher):
    """Starts programs with one PostgreSQL and one Redis, and reads the database.

    Attributes:
        postgres: the PostgreSQL server. It flushes commits to the disk, as in production.
        redis: the Redis server.
    """

    def __init__(self, folder: Path, postgres: Postgres, redis: Redis) -> None:
        env = os.environ | {
            "DATABASE_URL": postgres.dsn,
            "REDIS_URL": redis.url,
            "USE_ARQ_WORKER": "True",
            "CACHE_DIR": str(folder / "cache"),
        }
        super().__init__(env, folder)
        self.postgres = postgres
        self.redis = redis

    def ready_worker(self) -> Process:
        """Start a worker of this project, and wait until it holds its lock."""
        worker = self.worker()
        worker.says(WORKER_READY)
        return worker


@contextmanager
def plant() -> Iterator[Plant]:
    """Start both servers and create the tables."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="bench-")))
        postgres = stack.enter_context(running_postgres(folder / "postgres", fsync=True))
        redis = stack.enter_context(running_redis(folder / "redis"))
        made = Plant(folder, postgres, redis)
        stack.callback(made.stop)
        made.output("migrate")
        yield made
