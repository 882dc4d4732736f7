"""The two sides of the comparison, with the same interface."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from arq import create_pool
from arq.connections import ArqRedis, RedisSettings
from arq.jobs import Job
from arq.worker import Worker, func

from bench._plant import Plant
from bench.recovery import ours, steps
from harness import Process

T = TypeVar("T")

MAX_TRIES: int = inspect.signature(Worker).parameters["max_tries"].default
"""How often arq picks up a job by default."""

_PLAIN_READY = "redis_version="
"""arq's worker logs this just before it starts to poll (`arq/connections.py`, `log_redis_info`)."""


@dataclass(frozen=True, slots=True)
class Ending:
    """The end of a job.

    Attributes:
        words: the state, and the error if there is one.
        tries: the number of starts of the job, in the terms of the side.
    """

    words: str
    tries: str


class Side(Protocol):
    """One side of the comparison: a queue with its workers."""

    name: str

    def start_worker(self, *, wait: bool = True) -> Process:
        """Start a worker. If `wait` is set, wait until it accepts jobs."""
        ...

    def enqueue(self) -> None:
        """Enqueue the job."""
        ...

    def ended(self) -> Ending | None:
        """Return the end of the job; None while it has not ended."""
        ...


class PlainArq:
    """Plain arq, with a timeout for the job."""

    def __init__(self, plant: Plant, timeout: int) -> None:
        self.name = f"plain arq, {timeout} s timeout"
        self._plant = plant
        self._job_id = ""

    def start_worker(self, *, wait: bool = True) -> Process:
        """Start `arq` with settings as its documentation shows them."""
        program = ("arq", "bench.recovery.plain.WorkerSettings")
        worker = self._plant.start(*program, name="a worker of arq")
        if wait:
            worker.says(_PLAIN_READY)
        return worker

    def enqueue(self) -> None:
        """Enqueue the job."""

        async def enqueue(redis: ArqRedis) -> str:
            job = await redis.enqueue_job("all_steps")
            assert job is not None
            return job.job_id

        self._job_id = self._with_redis(enqueue)

    def ended(self) -> Ending | None:
        """Read the result that arq keeps."""

        async def look(redis: ArqRedis) -> Ending | None:
            info = await Job(self._job_id, redis).result_info()
            if info is None:
                return None
            words = "succeeded" if info.success else f"failed: {info.result}"
            return Ending(words, f"picked up {info.job_try} times, {MAX_TRIES} allowed")

        return self._with_redis(look)

    def _with_redis(self, do: Callable[[ArqRedis], Awaitable[T]]) -> T:
        async def inside() -> T:
            redis = await create_pool(RedisSettings.from_dsn(self._plant.redis.url))
            try:
                return await do(redis)
            finally:
                await redis.aclose(close_connection_pool=True)

        return asyncio.run(inside())


class ThisProject:
    """A run of this project with one gene for each step."""

    name = "this project"

    def __init__(self, plant: Plant) -> None:
        self._plant = plant
        self._run_id = 0
        plant.through = ("bench.recovery.ours",)
        plant.rows(
            "INSERT INTO genes (hgnc_id, symbol)"
            " SELECT 'HGNC:' || n, 'STEP' || n FROM generate_series(1, %(steps)s) n",
            steps=steps.STEPS,
        )

    def start_worker(self, *, wait: bool = True) -> Process:
        """Start a worker of the project."""
        return self._plant.ready_worker() if wait else self._plant.worker()

    def enqueue(self) -> None:
        """Request a run as an operator does. All genes are due in it."""
        self._run_id = self._plant.annotate("--mode", "full", ours.NAME)

    def ended(self) -> Ending | None:
        """Read the state of the run."""
        run = self._plant.rows("SELECT * FROM runs WHERE id = %(id)s", id=self._run_id)[0]
        if run["finished_at"] is None:
            return None
        words = run["state"] if run["error"] is None else f"{run['state']}: {run['error']}"
        tries = "{attempts} attempt, {interruptions} interruptions, {losses} losses"
        return Ending(words, tries.format(**run))


def await_end(side: Side, seconds: float = 120.0) -> Ending:
    """Wait for the end of a job.

    Raises:
        TimeoutError: the job has not ended in time.
    """
    deadline = time.monotonic() + seconds
    while (ending := side.ended()) is None:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{side.name}: the job has not ended after {seconds:g} s")
        time.sleep(0.1)
    return ending


def lease(timeout: float) -> float:
    """Return the seconds from the pick-up of a job until arq allows another worker to pick it up.

    That is the longest timeout of all functions plus 10 (arq 0.28, `worker.py`, `Worker.__init__`,
    `in_progress_timeout_s`). The job of a killed worker waits for the rest of this time.
    """

    async def nothing(_: object) -> None: ...

    async def ask() -> float:
        worker = Worker(functions=[func(nothing, timeout=timeout)], handle_signals=False)  # type: ignore[arg-type]
        return float(worker.in_progress_timeout_s)

    return asyncio.run(ask())
