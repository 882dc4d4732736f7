"""Commits a source's answers together with the run's progress, one commit at a time."""

import asyncio
import time
from collections.abc import Sequence

from app.annotation.refresh import progress as counts
from app.annotation.refresh.commits import storable_answers, store
from app.annotation.refresh.origins import Origin
from app.annotation.refresh.progress import Progress
from app.annotation.refresh.uncounted import Uncounted
from app.annotation.sources.answers import Answer
from app.core.runs.attempt import Attempt

REPORT_EVERY = 2.0
"""Seconds between two reports of the request count while a batch is in flight."""


class Ledger:
    """Commits the answers and progress of one source in an attempt.

    Args:
        attempt: the attempt that guards every commit.
        progress: the counts so far.
        uncounted: the traffic and commit durations that the next commit adds to the counts.

    Attributes:
        progress: the committed counts.
    """

    def __init__(self, attempt: Attempt, progress: Progress, uncounted: Uncounted) -> None:
        self.progress = progress
        self._attempt = attempt
        self._uncounted = uncounted
        # commits are serialized, because each writes the complete progress
        self._committing = asyncio.Lock()

    async def commit(self, answers: Sequence[Answer], weight: int, origin: Origin) -> None:
        """Write answers and the updated progress in one transaction.

        Args:
            answers: at most one answer for each gene.
            weight: the expected work for these genes.
            origin: where the answers came from.

        Raises:
            Superseded: another attempt has taken over the run.
        """
        answers = storable_answers(answers)
        async with self._committing:
            async with self._attempt.transaction(progress=True) as connection:
                began = self._attempt.began
                progress = self.progress
                written = await store(connection, progress.run_id, origin, answers)
                progress.add(written.answers, weight)
                progress.changed += written.changed
                await counts.save(connection, progress, self._uncounted)
            self._uncounted.commit_took(time.monotonic() - began)

    async def expect(self, genes: int, weight: int) -> None:
        """Write how many genes are due, and the expected work for them."""
        self.progress.total = self.progress.done + genes
        self.progress.weight_total = self.progress.weight_done + weight
        async with self._attempt.transaction(progress=False) as connection:
            await counts.save(connection, self.progress, self._uncounted)

    async def report_requests(self) -> None:
        """Write the number of requests every few seconds, until cancelled.

        A batch may take a minute at 3 requests a second. The reports show operators that requests
        are being sent.
        """
        while True:
            await asyncio.sleep(REPORT_EVERY)
            if self._uncounted.has_requests:
                async with (
                    self._committing,
                    self._attempt.transaction(progress=False) as connection,
                ):
                    await counts.save(connection, self.progress, self._uncounted)
