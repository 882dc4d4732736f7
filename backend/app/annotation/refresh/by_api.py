"""Refreshes a source by asking its service, batch by batch."""

import asyncio
from collections.abc import Sequence

from app.annotation.refresh.batches import Batch, ask, batches
from app.annotation.refresh.due import Due
from app.annotation.refresh.ledger import Ledger
from app.annotation.refresh.plausibility import ask_again, turned_absent
from app.annotation.refresh.releases import Releases
from app.annotation.sources.base import Answer, ApiSource, Gene
from app.core.errors import Superseded


async def refresh_by_api(source: ApiSource, due: Due, ledger: Ledger, releases: Releases) -> None:
    """Ask about the genes that are due, several batches at a time, and commit each batch.

    Args:
        source: that is asked.
        due: the genes.
        ledger: commits the answers.
        releases: of the source.

    Raises:
        NotAccepted: too many genes turned absent.
        Superseded, Wait, BadAnswer: see there.
    """
    slots = asyncio.Semaphore(source.info.concurrency)
    asked: set[asyncio.Task[None]] = set()

    async def one(batch: Batch) -> None:
        try:
            answers = await ask(source, batch.genes)
            answers = await _doubt(source, due, ledger, batch.genes, answers)
            await ledger.commit(answers, batch.weight, await releases.origin())
            ledger.losses.judge()
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
            reporting.cancel()
    except BaseExceptionGroup as errors:
        superseded = [e for e in errors.exceptions if isinstance(e, Superseded)]
        raise (superseded or errors.exceptions)[0] from None


async def _doubt(
    source: ApiSource, due: Due, ledger: Ledger, genes: Sequence[Gene], answers: list[Answer]
) -> list[Answer]:
    """Ask again about the genes that turned absent. A gene that is absent again is doubted."""
    turned = await turned_absent(due.attempt, ledger.losses, answers)
    if not turned:
        return answers
    again = await ask_again(source, [gene for gene in genes if gene.id in turned], ledger.losses)
    return [answer for answer in answers if answer.gene_id not in turned] + again
