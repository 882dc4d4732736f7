import asyncio
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing

from sqlalchemy.ext.asyncio import AsyncConnection

from app.annotation.refresh import progress as counts
from app.annotation.refresh.batches import Batch, ask, batches
from app.annotation.refresh.commits import storable_answers, store
from app.annotation.refresh.due import due_pages
from app.annotation.refresh.plausibility import (
    Losses,
    NotAccepted,
    ask_again,
    believe,
    found_before,
    losses_so_far,
)
from app.annotation.refresh.progress import Progress
from app.annotation.refresh.read_ahead import ReadAhead
from app.annotation.sources.accepted_files import accept, what_is_wrong_with
from app.annotation.sources.base import Answer, FileRead, Gene, Source
from app.annotation.sources.unknown_terms import note_unknown_terms
from app.annotation.upstream import BadAnswer
from app.core.config import Settings
from app.core.errors import Superseded
from app.core.runs.attempt import Attempt

logger = logging.getLogger(__name__)

REPORT_EVERY = 2.0
"""Seconds between two reports of the requests of a batch under way."""


def nothing_but_unknowns(source: str) -> str:
    """Say that a source gave no answer of use."""
    return f"got nothing but unknowns from {source}"


class Refresh:
    """One source's part of an attempt: the genes that are due are asked about and committed.

    Args:
        attempt: guards every commit.
        source: what is asked.
        settings: the thresholds.
    """

    def __init__(self, attempt: Attempt, source: Source, settings: Settings) -> None:
        self._attempt = attempt
        self._source = source
        self._settings = settings
        self._requests_counted = 0
        self._says_release = True
        # one commit at a time: the progress is written as a whole
        self._committing = asyncio.Lock()
        self._accepted: list[FileRead] = []
        self._progress: Progress
        self._losses: Losses

    async def run(self, *, afresh: bool) -> str | None:
        """Refresh the source's genes; return None, or why the source failed.

        Args:
            afresh: whether nothing was done for this source in an earlier attempt.

        Raises:
            Superseded, Wait, BadAnswer: see there.
        """
        info = self._source.info
        run_id = self._attempt.ref.run_id
        async with self._attempt.transaction(progress=False) as connection:
            self._progress = await counts.begin(connection, run_id, info.name, afresh=afresh)
            self._losses = await losses_so_far(connection, run_id, info.name)
        try:
            await self._ask_all()
            # asked before the run's row is locked: the service may take its time
            release = await self._release() if self._losses.doubted else None
            async with self._attempt.transaction(progress=True) as connection:
                await self._believe(connection, release)
                error = None
                if self._progress.unknown and self._progress.unknown == self._progress.done:
                    error = nothing_but_unknowns(info.name)
                await counts.save(connection, self._progress)
                await counts.finish(connection, run_id, info.name, error)
                terms = await note_unknown_terms(
                    connection, run_id, self._attempt.ref.epoch, info.name
                )
            self._tell(terms)
        except NotAccepted as refused:
            error = str(refused)
            logger.error("%s: %s", info.name, error)  # noqa: TRY400 - no mistake of the code
            async with self._attempt.transaction(progress=True) as connection:
                await counts.finish(connection, run_id, info.name, error)
        return error

    def _tell(self, terms: Mapping[str, int]) -> None:
        if terms:
            logger.warning(
                "%s: words that are not known here count as other: %s",
                self._source.info.name,
                ", ".join(f"{term!r} ({count:,})" for term, count in terms.items()),
            )

    async def _ask_all(self) -> None:
        info = self._source.info
        due = await self._measure()
        await self._accept(self._source.files)
        logger.info("%s: %d genes are due, %d done before", info.name, due, self._progress.done)
        in_bulk = info.bulk_threshold is not None and due > info.bulk_threshold(self._settings)
        if in_bulk:
            due = await self._in_bulk()
        if due:
            await self._by_api()

    async def _believe(self, connection: AsyncConnection, release: str | None) -> None:
        """Store as absent what is, now that it is known of how many genes that is said."""
        self._losses.judge()
        if self._losses.doubted:
            believed = await believe(
                connection,
                self._progress.source,
                self._progress.run_id,
                release,
            )
            self._progress.unknown -= believed
            self._progress.absent += believed

    async def _accept(self, files: Sequence[FileRead]) -> None:
        """Keep files as the ones accepted last, unless they are too short."""
        new = [file for file in files if file not in self._accepted]
        if not new:
            return
        await self._judge(new)
        async with self._attempt.transaction(progress=False) as connection:
            await accept(connection, self._progress.source, self._progress.run_id, new)
        self._accepted += new

    async def _judge(self, files: Sequence[FileRead]) -> None:
        async with self._attempt.reading() as connection:
            wrong = await what_is_wrong_with(connection, self._progress.source, files)
        if wrong is not None and not self._losses.accepted:
            # kept, it would count as the copy in use, and nothing older would replace it
            for file in files:
                await asyncio.to_thread(file.path.unlink, missing_ok=True)
            raise NotAccepted(f"{self._progress.source}: {wrong}; nothing of it is stored")

    def _due(self) -> AsyncIterator[list[Gene]]:
        ref = self._attempt.ref
        info = self._source.info
        # a source that is along only because another needs it fills gaps
        asked_for = ref.sources is None or info.name in ref.sources
        return due_pages(
            self._attempt,
            info.name,
            everything=ref.mode == "full" and asked_for,
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
                answers = await ask(self._source, batch.genes)
                await self._commit(await self._doubt(batch.genes, answers), batch.weight)
                self._losses.judge()
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

    async def _doubt(self, genes: Sequence[Gene], answers: list[Answer]) -> list[Answer]:
        """Ask again about the genes that turned absent; what is still absent is only doubted."""
        turned = await self._turned_absent(answers)
        if not turned:
            return answers
        again = await ask_again(
            self._source, [gene for gene in genes if gene.id in turned], self._losses
        )
        return [answer for answer in answers if answer.gene_id not in turned] + again

    async def _turned_absent(self, answers: Sequence[Answer]) -> set[int]:
        absent = [answer.gene_id for answer in answers if answer.state == "absent"]
        if not absent or self._losses.accepted:
            return set()
        async with self._attempt.reading() as connection:
            return await found_before(connection, self._progress.source, absent)

    async def _in_bulk(self) -> int:
        """Take from the bulk file what can be believed, and return how many genes are left to ask.

        The file is read to its end before anything of it is stored: how much it has lost is not
        known earlier. Genes that it has nothing for any more, or does not tell of, are left.
        """
        weights: dict[int, int] = {}

        async def genes() -> AsyncIterator[Gene]:
            async for page in self._due():
                weights.update(
                    zip((g.id for g in page), await self._source.weights(page), strict=True)
                )
                for gene in page:
                    yield gene

        ahead = ReadAhead()
        # closed at once when it is cancelled: a child process may be at work
        async with aclosing(self._source.bulk(genes())) as lists:
            async for answers in lists:
                ahead.add(storable_answers(answers), await self._turned_absent(answers))
        await self._judge(self._source.files)
        self._losses.judge(more=len(ahead.turned_absent))
        if ahead.says_nothing and not self._losses.accepted:
            raise NotAccepted(
                f"{self._progress.source}: its bulk file tells nothing of {ahead.unknown:,} of"
                f" {len(weights):,} genes; nothing of it is stored"
            )
        await self._accept(self._source.files)
        for answers in ahead.believed():
            await self._commit(answers, sum(weights[answer.gene_id] for answer in answers))
        return ahead.left

    async def _commit(self, answers: Sequence[Answer], weight: int) -> None:
        release = await self._release()
        answers = storable_answers(answers)
        async with self._committing, self._attempt.transaction(progress=True) as connection:
            self._count_requests()
            source, run_id = self._progress.source, self._progress.run_id
            written = await store(connection, source, run_id, release, answers)
            self._progress.add(written, weight)
            self._losses.doubted += sum(answer.doubted for answer in written)
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
