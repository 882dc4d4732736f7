"""Creates runs for the jobs that arq clients enqueue directly."""

import logging
from collections import defaultdict
from collections.abc import AsyncGenerator, Awaitable, Collection, Mapping, Sequence
from typing import Protocol

import msgspec
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.arq.queue_page import ClientJob
from app.core.errors import UserError, WrongUse
from app.core.postgres.unavailable import is_data_error, is_unavailable
from app.core.runs.jobs import ONE_SOURCE, SEVERAL_SOURCES
from app.core.runs.operations import Created
from app.core.runs.request import RunRequest

logger = logging.getLogger(__name__)

MAX_REFUSAL_LINES = 10
"""The maximum number of distinct refusals that are logged for one page of the queue."""

_LOGGED_ID_LENGTH = 200


class Requester(Protocol):
    """Creates a run, or finds the active run of the same request."""

    def __call__(
        self, request: RunRequest, *, resume: bool, arq_job_id: str | None = None
    ) -> Awaitable[Created]:
        """Return the run.

        Raises:
            UserError: a source is unknown, or another active run covers it.
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
    """Creates runs for the jobs of clients. Jobs with the same request are handled together.

    Args:
        db: the connection pool of PostgreSQL.
        request: creates runs.
    """

    def __init__(self, db: AsyncEngine, request: Requester) -> None:
        self._db = db
        self._request = request

    async def still_queued(self, keys: Collection[tuple[int, int]]) -> set[tuple[int, int]]:
        """Return the runs among these that are queued under the given epoch."""
        async with self._db.connect() as connection:
            ids, epochs = [run_id for run_id, _ in keys], [epoch for _, epoch in keys]
            found = await connection.execute(_STILL_QUEUED, {"ids": ids, "epochs": epochs})
            return {(row.id, row.epoch) for row in found}

    async def handle(self, jobs: Sequence[ClientJob]) -> AsyncGenerator[Sequence[str]]:
        """Handle jobs, and yield the ids of handled jobs progressively.

        Raises:
            DATABASE_ERRORS: PostgreSQL is unavailable; jobs that were not yielded are not handled.
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
            except SQLAlchemyError as error:
                if is_unavailable(error):
                    raise
                # for example a canceled statement; the jobs stay in the queue
                logger.exception(
                    "no run could be created for job %s, which is tried again",
                    ids[0][:_LOGGED_ID_LENGTH],
                )
                continue
            yield ids
        _log_refusals(refused)
        for ids in refused.values():
            yield ids

    async def _create_run(self, request: RunRequest, ids: Sequence[str], *, resume: bool) -> None:
        """Create one run for jobs with the same request.

        If one job fails, for example because PostgreSQL cannot store its id, the next job is tried.

        Raises:
            UserError: no run can be created for this request.
            sqlalchemy.exc.SQLAlchemyError: PostgreSQL cannot execute the statements now.
        """
        for place, job_id in enumerate(ids):
            try:
                created = await self._request(request, resume=resume, arq_job_id=job_id)
            except UserError:
                raise
            except Exception as error:
                of_database = isinstance(error, SQLAlchemyError) and not is_data_error(error)
                if of_database or is_unavailable(error):
                    raise
                logger.exception("no run could be created for job %s", job_id[:_LOGGED_ID_LENGTH])
                continue
            active = created.state in {"queued", "running"}
            others = _others(ids[place:]) if active else ""
            logger.info("job %s became run %d%s", job_id, created.ref.run_id, others)
            if active:
                return


def _request_of(job: ClientJob) -> tuple[RunRequest, bool]:
    """Return the request of a job, and whether a failed run is to be resumed.

    Raises:
        WrongUse: the arguments do not match the function's parameters.
    """
    parameters = _PARAMETERS[job.function]
    names = parameters.__struct_fields__
    values = dict(zip(names, job.arguments, strict=False))
    if len(job.arguments) > len(names) or values.keys() & job.named.keys():
        raise _wrong_call(job, "more arguments than parameters")
    try:
        call = msgspec.convert({**values, **job.named}, parameters)
    except msgspec.ValidationError as error:
        raise _wrong_call(job, str(error)) from error
    sources = [call.source_name] if isinstance(call, _OneSource) else call.sources
    return RunRequest.of(sources, call.mode), call.resume


def _wrong_call(job: ClientJob, why: str) -> WrongUse:
    return WrongUse(
        f"{job.function} cannot be called like this: {why}",
        allowed=", ".join(_PARAMETERS[job.function].__struct_fields__),
    )


def _log_refusals(refused: Mapping[str, Sequence[str]]) -> None:
    refusals = list(refused.items())
    for why, ids in refusals[:MAX_REFUSAL_LINES]:
        logger.error("job %s is refused%s: %s", ids[0], _others(ids), why)
    if more := sum(len(ids) for _, ids in refusals[MAX_REFUSAL_LINES:]):
        logger.error("%d more jobs are refused", more)


def _others(ids: Sequence[str]) -> str:
    return f" together with {len(ids) - 1} more jobs of the same kind" if len(ids) > 1 else ""
