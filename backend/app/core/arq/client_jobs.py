"""Turns the jobs that clients of arq enqueue themselves into runs."""

import logging
from collections import defaultdict
from collections.abc import AsyncGenerator, Awaitable, Collection, Mapping, Sequence
from typing import Protocol

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.arq.queue_page import ClientJob
from app.core.errors import UserError, WrongUse
from app.core.postgres.unavailable import is_unavailable
from app.core.runs.jobs import ONE_SOURCE, SEVERAL_SOURCES
from app.core.runs.operations import Created
from app.core.runs.request import RunRequest

logger = logging.getLogger(__name__)

MAX_REFUSAL_LINES = 10
"""Refusals of one page of the queue that get a line of their own in the log."""

_LOGGED_ID_LENGTH = 200


class Requester(Protocol):
    """Creates a run, or finds the active one that already does the same."""

    def __call__(
        self, request: RunRequest, *, resume: bool, arq_job_id: str | None = None
    ) -> Awaitable[Created]:
        """Return the run.

        Raises:
            UserError: a source is unknown, or another run covers it.
        """


class _OneSource(msgspec.Struct, forbid_unknown_fields=True):
    source_name: str
    mode: str = "smart"
    resume: bool = False


class _SeveralSources(msgspec.Struct, forbid_unknown_fields=True):
    sources: list[str] | None = None
    mode: str = "smart"
    resume: bool = False


_PARAMETERS: dict[str, type[_OneSource | _SeveralSources]] = {
    ONE_SOURCE.name: _OneSource,
    SEVERAL_SOURCES.name: _SeveralSources,
}
"""The parameters of the functions in `tasks`, which clients enqueue by name."""


_STILL_QUEUED = text(
    """
    SELECT id, epoch FROM runs WHERE state = 'queued' AND (id, epoch) IN (
      SELECT * FROM unnest(CAST(:ids AS bigint[]), CAST(:epochs AS int[])))
    """
)


class ClientJobs:
    """Turns clients' jobs into runs. Jobs that ask for the same are handled together.

    Args:
        db: the pool of connections to PostgreSQL.
        request: creates runs.
    """

    def __init__(self, db: AsyncEngine, request: Requester) -> None:
        self._db = db
        self._request = request

    async def still_queued(self, keys: Collection[tuple[int, int]]) -> set[tuple[int, int]]:
        """Return the runs among these, each with its epoch, that are queued."""
        async with self._db.connect() as connection:
            ids, epochs = [run_id for run_id, _ in keys], [epoch for _, epoch in keys]
            found = await connection.execute(_STILL_QUEUED, {"ids": ids, "epochs": epochs})
            return {(row.id, row.epoch) for row in found}

    async def handle(self, jobs: Sequence[ClientJob]) -> AsyncGenerator[Sequence[str]]:
        """Handle jobs, and yield the ids of those that are done as the work goes on.

        Raises:
            DATABASE_ERRORS: PostgreSQL is unavailable; jobs that were not yielded are not done.
        """
        accepted: defaultdict[tuple[RunRequest, bool], list[str]] = defaultdict(list)
        refused: defaultdict[str, list[str]] = defaultdict(list)
        for job in jobs:
            try:
                accepted[_request_of(job)].append(job.id)
            except UserError as error:
                refused[str(error)].append(job.id)
        for (request, resume), ids in accepted.items():
            try:
                await self._create_run(request, ids, resume=resume)
            except UserError as error:
                refused[str(error)] += ids
                continue
            yield ids
        _log_refusals(refused)
        for ids in refused.values():
            yield ids

    async def _create_run(self, request: RunRequest, ids: Sequence[str], *, resume: bool) -> None:
        """Handle jobs that ask for the same. Once one of them is an active run, all of them are.

        If one job fails, for example because PostgreSQL cannot store its id, the next is tried.
        """
        for place, job_id in enumerate(ids):
            try:
                created = await self._request(request, resume=resume, arq_job_id=job_id)
            except UserError:
                raise
            except Exception as error:
                if is_unavailable(error):
                    raise
                logger.exception("job %s failed", job_id[:_LOGGED_ID_LENGTH])
                continue
            active = created.state in {"queued", "running"}
            others = _others(ids[place:]) if active else ""
            logger.info("job %s is run %d%s", job_id, created.ref.run_id, others)
            if active:
                return


def _request_of(job: ClientJob) -> tuple[RunRequest, bool]:
    """Return what a job asks for, and whether a failed run is to be resumed.

    Raises:
        WrongUse: its arguments do not fit its function.
    """
    parameters = _PARAMETERS[job.function]
    names = parameters.__struct_fields__
    values = dict(zip(names, job.arguments, strict=False))
    if len(job.arguments) > len(names) or values.keys() & job.named.keys():
        raise _wrong_call(job, "more arguments than parameters")
    try:
        asked = msgspec.convert({**values, **job.named}, parameters)
    except msgspec.ValidationError as error:
        raise _wrong_call(job, str(error)) from error
    sources = [asked.source_name] if isinstance(asked, _OneSource) else asked.sources
    return RunRequest.of(sources, asked.mode), asked.resume


def _wrong_call(job: ClientJob, why: str) -> WrongUse:
    return WrongUse(
        f"{job.function} cannot be called like this: {why}",
        allowed=", ".join(_PARAMETERS[job.function].__struct_fields__),
    )


def _log_refusals(refused: Mapping[str, Sequence[str]]) -> None:
    each = list(refused.items())
    for why, ids in each[:MAX_REFUSAL_LINES]:
        logger.error("job %s is refused%s: %s", ids[0], _others(ids), why)
    if more := sum(len(ids) for _, ids in each[MAX_REFUSAL_LINES:]):
        logger.error("%d more jobs are refused", more)


def _others(ids: Sequence[str]) -> str:
    return f", and so are {len(ids) - 1} more that ask for the same" if len(ids) > 1 else ""
