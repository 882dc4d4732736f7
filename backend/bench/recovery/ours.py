"""Starts a program of the project with one more source, whose genes are the steps of the job.

`python -m bench.recovery.ours arq app.core.arq_worker.WorkerSettings`
"""

import runpy
import sys
from collections.abc import Sequence
from datetime import timedelta

from app.annotation.sources import SOURCES
from app.annotation.sources.answers import Answer, Gene
from app.annotation.sources.base import ApiSource
from app.annotation.sources.connector import Connector
from app.annotation.sources.declaration import SourceInfo
from app.annotation.sources.hgnc.source import REST
from bench.recovery import steps

NAME = "steps"


class Steps(ApiSource):
    """A source with one gene in a batch. Each gene is a step."""

    info = SourceInfo(
        name=NAME,
        title="steps",
        licence="none",
        licence_url="",
        attribution="",
        hosts=(),
        freshness=timedelta(days=1),
    )
    # it sends no requests; only its answers name this service
    service = REST

    def __init__(self, connect: Connector) -> None:
        super().__init__(connect)
        self._done = 0

    @property
    def requests(self) -> int:
        """Return how many steps were executed."""
        return self._done

    async def release(self) -> str:
        """Return the only release."""
        return "1"

    async def annotate(self, genes: Sequence[Gene]) -> list[Answer]:
        """Execute the step of a gene."""
        for gene in genes:
            self._done += 1
            await steps.do(gene.id)
        return [Answer(gene.id, "found", {}) for gene in genes]


def main() -> None:
    """Add the source, then run the program that the arguments name."""
    SOURCES[NAME] = Steps
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
