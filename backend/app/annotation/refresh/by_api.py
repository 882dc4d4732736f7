"""Refreshes a source by asking its service, batch by batch."""

import asyncio
from collections.abc import Sequence

from app.annotation.refresh.batches import Batch, ask, batches
from app.annotation.refresh.due import Due
from app.annotation.refresh.gates import Gates
from app.annotation.refresh.ledger import Ledger
from app.annotation.refresh.releases import Releases
from app.annotation.sources.answers import Answer, Gene
from app.annotation.sources.base import ApiSource
from app.core.errors import Superseded
from app.core.process import tracing
from app.core.process.tracing.kinds import BATCH


async def refresh_by_api(
    source: ApiSource, due: Due, ledger: Ledger, gates: Gates, releases: Releases
) -> None:
    """Ask about the due genes in concurrent batches, and commit each batch.

    A gene that was found before and is absent now is not committed with its batch. The service is
    asked about it again after all other genes.

    Args:
        source: the source to ask.
        due: the genes that are due.
        ledger: the ledger that commits the answers.
        gates: the gates of the source.
        releases: the releases of the source.

    Raises:
        Held: too many genes became absent, or nothing was found for any gene.
        Superseded: another attempt has taken over the run.
        Wait: the service cannot be asked now.
        BadAnswer: none of the service's answers is usable.
    """
    slots = asyncio.Semaphore(source.info.concurrency)
    asked: set[asyncio.Task[None]] = set()
    doubts = _Doubts(source, ledger, gates, releases)

    async def one(batch: Batch) -> None:
        try:
            with tracing.span(BATCH, {"batch.size": len(batch.genes)}, parent=True):
                answers = await doubts.keep(batch.genes, await ask(source, batch.genes))
                await ledger.commit(answers, batch.weight, await releases.origin())
        finally:
            slots.release()

    try:
        async with asyncio.TaskGroup() as group:
            reporting = group.create_task(ledger.report_requests())
            async for batch in batches(due.pages(), source):
                await slots.acquire()
                asked.add(task := group.create_task(one(batch)))
                task.add_done_callback(asked.discard)
            while asked:
                await asyncio.wait(asked)
            await doubts.resolve()
            reporting.cancel()
    except BaseExceptionGroup as errors:
        superseded = [e for e in errors.exceptions if isinstance(e, Superseded)]
        raise (superseded or errors.exceptions)[0] from None


class _Doubts:
    """The absent answers that are not committed before all genes were asked about.

    The answers are kept in memory only. If the attempt ends early, the next one asks about these
    genes again.
    """

    def __init__(self, source: ApiSource, ledger: Ledger, gates: Gates, releases: Releases) -> None:
        self._source = source
        self._ledger = ledger
        self._gates = gates
        self._releases = releases
        self._again: list[Gene] = []
        self._nothing_found = gates.first
        self._absent: list[Answer] = []

    async def keep(self, genes: Sequence[Gene], answers: Sequence[Answer]) -> list[Answer]:
        """Return the answers that can be committed immediately, and keep the others."""
        turned = await self._gates.turned_absent(answers)
        self._again += [gene for gene in genes if gene.id in turned]
        certain = [answer for answer in answers if answer.gene_id not in turned]
        if not self._nothing_found:
            return certain
        # a service with no data for any gene has probably lost its index
        self._absent += [answer for answer in certain if answer.state == "absent"]
        certain = [answer for answer in certain if answer.state != "absent"]
        if any(answer.state == "found" for answer in certain):
            self._nothing_found = False
            certain += self._absent
            self._absent = []
        return certain

    async def resolve(self) -> None:
        """Ask again about the doubtful genes, check the kept answers, and commit them.

        Raises:
            Held: they look wrong.
        """
        if self._absent:
            self._gates.judge_first([answer.gene_id for answer in self._absent])
            await self._ledger.commit(self._absent, 0, await self._releases.origin())
        if self._again:
            answers = await self._ask_again()
            await self._ledger.commit(answers, 0, await self._releases.origin())

    async def _ask_again(self) -> list[Answer]:
        """Ask again about each gene. Stop as soon as too many genes are absent again.

        Raises:
            Held: too many genes are absent again.
        """
        found: list[Answer] = []
        gone: list[int] = []
        for gene in self._again:
            if len(gone) <= self._gates.max_gone:
                (answer,) = await ask(self._source, [gene])
                if answer.state != "absent":
                    found.append(answer)
                    continue
            gone.append(gene.id)
        self._gates.judge_losses(gone)
        return [*found, *(Answer(gene_id, "absent") for gene_id in gone)]
