"""Starts a program of the project with one more source, whose genes are the steps of the job.

`python -m bench.recovery.ours arq app.core.arq_worker.WorkerSettings`
"""

import runpy
import sys
from collections.abc import Sequence
from datetime import timedelta
from typing import ClassVar

from app.annotation.sources import SOURCES
from app.annotation.sources.base import Answer, Connector, Gene, SourceInfo
from bench.recovery import steps

NAME = "steps"


class Steps:
    """A source with one gene in a batch. Each gene is a step."""

    info: ClassVar[SourceInfo] = SourceInfo(
        name=NAME,
        title="steps",
        licence="none",
        licence_url="",
        hosts=(),
        batch_size=1,
        batch_weight=1,
        concurrency=1,
        freshness=timedelta(days=1),
    )

    def __init__(self, _: Connector) -> None:
        self.requests = 0

    async def release(self) -> str:
        """Return the only release."""
        return "1"

    async def weights(self, genes: Sequence[Gene]) -> Sequence[int]:
        """Return the same weight for all steps."""
        return [1] * len(genes)

    async def annotate(self, genes: Sequence[Gene]) -> list[Answer]:
        """Execute the step of a gene."""
        for gene in genes:
            self.requests += 1
            await steps.do(gene.id)
        return [Answer(gene.id, "found", {}) for gene in genes]


def main() -> None:
    """Add the source, then run the program that the arguments name."""
    SOURCES[NAME] = Steps  # type: ignore[assignment]
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
