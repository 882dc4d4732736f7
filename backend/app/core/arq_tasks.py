"""What arq calls. A bell is answered; a client's own job becomes a run of its own."""

import asyncio
import logging
from collections.abc import Awaitable, Sequence
from typing import Any, Protocol

from arq import Retry
from arq.constants import in_progress_key_prefix

from app.core.bells import parse_id
from app.core.database_away import LOST_DATABASE
from app.core.engine import Engine
from app.core.errors import NotHere, UserError
from app.core.jobs import RunRequest
from app.core.runs import Created

logger = logging.getLogger(__name__)

PUT_BACK = 5
"""Seconds after which a bell is heard again that found no PostgreSQL."""

CLIENT_LEASE = 60
"""Seconds after which a client's own job is picked up again if its worker died."""


class Requester(Protocol):
    """Creates a run, or finds the one that already does the same."""

    def __call__(
        self, request: RunRequest, *, resume: bool, arq_job_id: str | None = None
    ) -> Awaitable[Created]:
        """Return the run.

        Raises:
            UserError: an unknown source, or one that another run covers.
        """


async def run_pipeline_task(
    ctx: dict[str, Any],
    source_name: str,
    mode: str = "smart",
    resume: bool = False,  # noqa: FBT001, FBT002 - the public signature of the job
) -> None:
    """Annotate the genes from one source."""
    await _answer(ctx, [source_name], mode, resume=resume)


async def run_annotation_pipeline_task(
    ctx: dict[str, Any],
    sources: Sequence[str] | None = None,
    mode: str = "smart",
    resume: bool = False,  # noqa: FBT001, FBT002 - the public signature of the job
) -> None:
    """Annotate the genes from several or all sources."""
    await _answer(ctx, sources, mode, resume=resume)


async def _answer(
    ctx: dict[str, Any], sources: Sequence[str] | None, mode: str, *, resume: bool
) -> None:
    if ctx["patience"].stopping:
        # picked up as the signal came: nobody would cancel it any more
        raise Retry
    engine: Engine = ctx["engine"]
    request: Requester = ctx["request"]
    jobs: set[asyncio.Task[Any]] = ctx["jobs"]
    current = asyncio.current_task()
    assert current is not None
    jobs.add(current)
    try:
        bell = parse_id(ctx["job_id"])
        if bell is None:
            # until its run is committed nothing but arq's own lease brings this job back, and
            # that lasts longer than the longest job
            await ctx["redis"].expire(in_progress_key_prefix + ctx["job_id"], CLIENT_LEASE)
            asked = RunRequest.of(sources, mode)
            created = await request(asked, resume=resume, arq_job_id=ctx["job_id"])
            logger.info("job %s is run %d", ctx["job_id"], created.bell.run_id)
            return
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
        logger.warning("PostgreSQL is away, job %s is put back: %s", ctx["job_id"], error)
        raise Retry(defer=PUT_BACK) from error
    except UserError as error:
        logger.error("job %s is refused: %s", ctx["job_id"], error)  # noqa: TRY400 - the user's mistake has no traceback
    finally:
        jobs.discard(current)
