"""What arq calls: a bell is answered. Clients' own jobs do not come here, see `client_jobs`."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

from arq import Retry

from app.core.arq.wake_ups import parse_id
from app.core.errors import NotHere
from app.core.postgres.away import LOST_DATABASE, is_away
from app.core.workers.engine import Engine

logger = logging.getLogger(__name__)

PUT_BACK = 5
"""Seconds after which a bell is heard again that found no PostgreSQL."""


async def run_pipeline_task(
    ctx: dict[str, Any],
    source_name: str,
    mode: str = "smart",
    resume: bool = False,  # noqa: FBT001, FBT002 - the public signature of the job
) -> None:
    """Annotate the genes from one source."""
    # a bell's run says itself what it is about
    del source_name, mode, resume
    await _answer(ctx)


async def run_annotation_pipeline_task(
    ctx: dict[str, Any],
    sources: Sequence[str] | None = None,
    mode: str = "smart",
    resume: bool = False,  # noqa: FBT001, FBT002 - the public signature of the job
) -> None:
    """Annotate the genes from several or all sources."""
    del sources, mode, resume
    await _answer(ctx)


async def _answer(ctx: dict[str, Any]) -> None:
    if ctx["patience"].stopping:
        # picked up as the signal came: nobody would cancel it any more
        raise Retry
    engine: Engine = ctx["engine"]
    jobs: set[asyncio.Task[Any]] = ctx["jobs"]
    current = asyncio.current_task()
    assert current is not None
    jobs.add(current)
    try:
        bell = parse_id(ctx["job_id"])
        assert bell is not None
        attempt = await engine.claim(*bell)
        if attempt is None:
            logger.info("bell %s: the run is not queued under this epoch", ctx["job_id"])
            return
        await engine.execute(attempt)
    except NotHere as error:
        logger.info("bell %s goes back: %s", ctx["job_id"], error)
        ctx["redis"].decline(ctx["job_id"])
        raise Retry from error
    except LOST_DATABASE as error:
        if not is_away(error):
            raise
        logger.warning("PostgreSQL is away, job %s is put back: %s", ctx["job_id"], error)
        # not arq's own deferral: it adds this machine's clock to the score
        ctx["redis"].decline(ctx["job_id"], PUT_BACK)
        raise Retry from error
    finally:
        jobs.discard(current)
