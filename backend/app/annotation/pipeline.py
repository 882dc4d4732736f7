import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing

from sqlalchemy import text

from app.annotation import progress as counts
from app.annotation.batches import Batch, ask, batches
from app.annotation.due import due_pages
from app.annotation.progress import Progress
from app.annotation.sources import build
from app.annotation.sources.base import Answer, Gene, Source
from app.annotation.store import storable_answers, store
from app.annotation.upstream import BadAnswer, new_http_client
from app.core.attempt import Attempt
from app.core.config import Settings
from app.core.errors import Superseded, UserError
from app.core.logs import bound_contextvars
from app.core.rate_limit import RateLimiter

logger = logging.getLogger(__name__)

REPORT_EVERY = 2.0
"""Seconds between two reports of the requests of a batch under way."""


class Pipeline:
    """What a run does: go through its sources, ask about the genes that are due, commit.

    Args:
        settings: addresses, keys and thresholds.
        limiter: the upstream budgets, shared by all workers.
    """

    def __init__(self, settings: Settings, limiter: RateLimiter) -> None:
        self._settings = settings
        self._limiter = limiter
        self._http = new_http_client(settings.upstream_timeout)

    async def close(self) -> None:
        """Close the connections to the upstream services."""
        await self._http.aclose()

    async def run(self, attempt: Attempt) -> None:
        """Do what is left of a run.

        Raises:
            UserError: a source got nothing but unknowns.
            Superseded, Wait, BadAnswer: see there.
        """
        async with attempt.reading() as connection:
            result = await connection.execute(
                text("SELECT source, state FROM run_sources WHERE run_id = :id ORDER BY position"),
                {"id": attempt.bell.run_id},
            )
            states = {row.source: row.state for row in result}
        for name, state in states.items():
            if state not in {"succeeded", "failed"}:
                source = build(name, self._settings, self._limiter, self._http)
                refresh = _Refresh(attempt, source, self._settings)
                with bound_contextvars(source=name):
                    states[name] = await refresh.run(afresh=state == "queued")
        failed = [name for name, state in states.items() if state == "failed"]
        if failed:
            raise UserError(
                f"got nothing but unknowns from {', '.join(failed)}",
                remedy=f"see the reasons with `just show {attempt.bell.run_id}`, then"
                f" `just retry {attempt.bell.run_id}`",
            )


class _Refresh:
    """One source's part of an attempt."""

    def __init__(self, attempt: Attempt, source: Source, settings: Settings) -> None:
        self._attempt = attempt
        self._source = source
        self._settings = settings
        self._requests_counted = 0
        self._says_release = True
        # one commit at a time: the progress is written as a whole
        self._committing = asyncio.Lock()
        self._progress: Progress

    async def run(self, *, afresh: bool) -> str:
        """Refresh the source's genes and return its state: ``succeeded`` or ``failed``."""
        info = self._source.info
        run_id = self._attempt.bell.run_id
        async with self._attempt.transaction(progress=False) as connection:
            self._progress = await counts.begin(connection, run_id, info.name, afresh=afresh)
        due = await self._measure()
        logger.info("%s: %d genes are due, %d done before", info.name, due, self._progress.done)
        if info.bulk_threshold is not None and due > info.bulk_threshold(self._settings):
            await self._in_bulk()
        elif due:
            await self._by_api()
        nothing = self._progress.unknown and self._progress.unknown == self._progress.done
        state = "failed" if nothing else "succeeded"
        async with self._attempt.transaction(progress=True) as connection:
            await counts.finish(connection, run_id, info.name, state)
        return state

    def _due(self) -> AsyncIterator[list[Gene]]:
        bell = self._attempt.bell
        info = self._source.info
        # a source that is along only because another needs it fills gaps
        asked_for = bell.sources is None or info.name in bell.sources
        return due_pages(
            self._attempt,
            info.name,
            everything=bell.mode == "full" and asked_for,
            freshness=info.freshness,
        )

    async def _measure(self) -> int:
        """Count the genes that are due and the work they stand for."""
        due = weight = 0
        async for page in self._due():
            due += len(page)
            weight += sum(await self._source.weights(page))
        self._progress.total = self._progress.done + due
        self._progress.weight_total = self._progress.weight_done + weight
        async with self._attempt.transaction(progress=False) as connection:
            await counts.save(connection, self._progress)
        return due

    async def _by_api(self) -> None:
        slots = asyncio.Semaphore(self._source.info.concurrency)
        asked: set[asyncio.Task[None]] = set()

        async def one(batch: Batch) -> None:
            try:
                await self._commit(await ask(self._source, batch.genes), batch.weight)
            finally:
                slots.release()

        try:
            async with asyncio.TaskGroup() as group:
                reporting = group.create_task(self._report_requests())
                async for batch in batches(self._due(), self._source):
                    await slots.acquire()
                    asked.add(task := group.create_task(one(batch)))
                    task.add_done_callback(asked.discard)
                while asked:
                    await asyncio.wait(asked)
                reporting.cancel()
        except BaseExceptionGroup as errors:
            superseded = [e for e in errors.exceptions if isinstance(e, Superseded)]
            raise (superseded or errors.exceptions)[0] from None

    async def _report_requests(self) -> None:
        """Let an operator see that a batch is under way, which may take a minute at 3 a second."""
        while True:
            await asyncio.sleep(REPORT_EVERY)
            if self._source.requests != self._requests_counted:
                async with (
                    self._committing,
                    self._attempt.transaction(progress=False) as connection,
                ):
                    self._count_requests()
                    await counts.save(connection, self._progress)

    def _count_requests(self) -> None:
        self._progress.requests += self._source.requests - self._requests_counted
        self._requests_counted = self._source.requests

    async def _in_bulk(self) -> None:
        weights: dict[int, int] = {}

        async def genes() -> AsyncIterator[Gene]:
            async for page in self._due():
                weights.update(
                    zip((g.id for g in page), await self._source.weights(page), strict=True)
                )
                for gene in page:
                    yield gene

        # closed at once when a commit fails or is cancelled: a child process may be at work
        async with aclosing(self._source.bulk(genes())) as lists:
            async for answers in lists:
                await self._commit(answers, sum(weights[answer.gene_id] for answer in answers))

    async def _commit(self, answers: Sequence[Answer], weight: int) -> None:
        release = await self._release()
        answers = storable_answers(answers)
        async with self._committing, self._attempt.transaction(progress=True) as connection:
            self._count_requests()
            self._progress.add(answers, weight)
            await store(connection, self._progress.source, self._progress.run_id, release, answers)
            await counts.save(connection, self._progress)

    async def _release(self) -> str | None:
        if not self._says_release:
            return None
        try:
            return await self._source.release()
        except BadAnswer as error:
            self._says_release = False
            logger.warning("%s does not say its release: %s", self._source.info.name, error)
            return None
