"""The functions that arq calls for a wake-up. `client_jobs` handles the jobs of clients instead."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from arq import Retry

from app.core.arq.client import WorkerRedis
from app.core.arq.wake_ups import parse_id
from app.core.errors import NotHere
from app.core.postgres.unavailable import DATABASE_ERRORS, is_unavailable
from app.core.redis.retry import RedisRetry
from app.core.workers.engine import Engine

logger = logging.getLogger(__name__)

RETRY_AFTER = 5
"""Seconds after which a wake-up is picked up again when PostgreSQL was unavailable."""


@dataclass(frozen=True, slots=True)
class WorkerContext:
    """The parts of this worker that the functions use. arq passes it as ``ctx["worker"]``.

    Attributes:
        engine: claims and executes runs.
        redis: the client of arq's worker.
        redis_retry: retries the commands of that client, and knows whether the worker is stopping.
        jobs: the tasks that are executing a job.
    """

    engine: Engine
    redis: WorkerRedis
    redis_retry: RedisRetry
    jobs: set[asyncio.Task[Any]] = field(default_factory=set)


async def run_pipeline_task(
    ctx: dict[str, Any],
    source_name: str,
    mode: str = "smart",
    resume: bool = False,  # noqa: FBT001, FBT002 - the public signature of the job
) -> None:
    """Annotate the genes from one source."""
    # the run in PostgreSQL holds the request
    del source_name, mode, resume
    await _execute(ctx["worker"], ctx["job_id"])


async def run_annotation_pipeline_task(
    ctx: dict[str, Any],
    sources: Sequence[str] | None = None,
    mode: str = "smart",
    resume: bool = False,  # noqa: FBT001, FBT002 - the public signature of the job
) -> None:
    """Annotate the genes from several or all sources."""
    del sources, mode, resume
    await _execute(ctx["worker"], ctx["job_id"])


async def _execute(worker: WorkerContext, job_id: str) -> None:
    if worker.redis_retry.stopping:
        # arq picked up the job while the signal arrived, so the signal did not cancel this task
        raise Retry
    current = asyncio.current_task()
    assert current is not None
    worker.jobs.add(current)
    try:
        key = parse_id(job_id)
        assert key is not None
        attempt = await worker.engine.claim(*key)
        if attempt is None:
            logger.info(
                "wake-up %s is outdated and ignored: the run is not queued under this epoch", job_id
            )
        else:
            await worker.engine.execute(attempt)
    except NotHere as error:
        logger.info("wake-up %s goes back to the queue: %s", job_id, error)
        worker.redis.decline(job_id)
        raise Retry from error
    except DATABASE_ERRORS as error:
        if not is_unavailable(error):
            raise
        logger.warning(
            "PostgreSQL is unavailable; wake-up %s goes back to the queue: %s", job_id, error
        )
        # arq's own deferral would compute the score from this machine's clock
        worker.redis.decline(job_id, RETRY_AFTER)
        raise Retry from error
    finally:
        worker.jobs.discard(current)
