"""Starts a program of the project with sources, and a time limit, that only a test wants.

``python -m tests.reliability.more arq app.core.arq_worker.WorkerSettings``

`MORE_SOURCES` describes the sources as JSON, `MORE_JOURNAL` is a file that gets a line for every
batch that one of them is asked about, and `MORE_TIME_LIMIT` replaces the seconds that an attempt
may take.
"""

import asyncio
import json
import os
import runpy
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from app.annotation.sources import SOURCES
from app.annotation.sources.answers import Answer, Gene
from app.annotation.sources.base import ApiSource
from app.annotation.sources.declaration import SourceInfo
from app.annotation.sources.hgnc.source import REST
from app.core.runs import jobs


@dataclass(frozen=True)
class Habit:
    """The behaviour of a source.

    Attributes:
        batch: the number of genes per batch.
        seconds: the duration of a batch.
        does: the misbehaviour: `kill` its process, `block` the event loop, `hang`, or be
            `stubborn` when cancelled; None if there is none.
        times: how often the source misbehaves. The default is without limit.
    """

    batch: int = 400
    seconds: float = 0.0
    does: str | None = None
    times: int | None = None


class Journal:
    """A record of the batches that all processes fetched."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def note(self, **what: Any) -> None:
        with self._path.open("a") as file:
            file.write(json.dumps(what | {"at": time.time(), "pid": os.getpid()}) + "\n")

    def lines(self) -> list[dict[str, Any]]:
        if not self._path.exists():
            return []
        return [json.loads(line) for line in self._path.read_text().splitlines()]


async def behave(name: str, habit: Habit, journal: Journal) -> None:
    """Misbehave as the habit of the source requires, unless that has happened often enough."""
    mine = [line for line in journal.lines() if line["source"] == name]
    done = [line for line in mine if "does" in line]
    if habit.does is None or (habit.times is not None and len(done) >= habit.times):
        return
    journal.note(source=name, does=habit.does)
    if habit.does == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif habit.does == "block":
        time.sleep(habit.seconds)  # noqa: ASYNC251 - blocks on purpose
    elif habit.does == "hang":
        await asyncio.sleep(3_600)
    elif habit.does == "stubborn":
        try:
            await asyncio.sleep(3_600)
        finally:
            await asyncio.sleep(3_600)


def source(name: str, habit: Habit, journal: Journal) -> type[Any]:
    """Create a source that has an answer for every gene."""

    class Made(ApiSource):
        info = SourceInfo(
            name=name,
            title=name,
            licence="none",
            licence_url="",
            attribution="",
            hosts=(),
            freshness=timedelta(days=1),
            batch_size=habit.batch,
        )
        # it sends no request; its answers say that they are from there
        service = REST
        requests = 0

        async def release(self) -> str:
            return "1"

        async def annotate(self, genes: Sequence[Gene]) -> list[Answer]:
            await behave(name, habit, journal)
            journal.note(source=name, genes=len(genes))
            self.requests += 1
            await asyncio.sleep(habit.seconds)
            return [Answer(gene.id, "found", {"by": name}) for gene in genes]

    return Made


def main() -> None:
    """Add the sources in the environment, then run the program in the arguments."""
    journal = Journal(Path(os.environ["MORE_JOURNAL"]))
    for name, habit in json.loads(os.environ["MORE_SOURCES"]).items():
        SOURCES[name] = source(name, Habit(**habit), journal)
    if limit := os.environ.get("MORE_TIME_LIMIT"):
        jobs.JOBS = tuple(replace(job, timeout=int(limit)) for job in jobs.JOBS)
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
