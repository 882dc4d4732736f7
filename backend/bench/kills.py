"""Measures the recovery time of runs whose workers are killed: `python -m bench kills`.

Two workers are alive. The worker that executes the run gets SIGKILL at a random moment after a
commit, and a new worker replaces it. This happens 20 times. A run that is nearly done is allowed to
end, and another run follows. The sandbox imitates HGNC with 60 requests a second, and is asked
about 50 genes at a time.

The recovery time is the time from the kill until another worker has claimed the run under the next
epoch. PostgreSQL's clock measures it, which is the clock of this machine. The recovery time has two
parts: until a recovery pass has queued the run (there is one every second), and from then until a
worker claims it (arq polls twice a second).
"""

import os
import random
import signal
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import click
import httpx
from rich.console import Console
from rich.table import Table

from bench._measured import machine, write
from bench._plant import Plant, plant
from harness import Process
from reference import markdown

BATCH = 50
"""The number of genes in a batch of HGNC (`app/annotation/sources/hgnc.py`)."""

RATE = 60
GENES = 4_000
LAST_GENES = 300
"""A run with this few genes left could end before its worker is killed."""

LONGEST_RECOVERY = 3.0
ENDPOINT = "hgnc.fetch"


@dataclass(frozen=True, slots=True)
class Kill:
    """The cost of a kill.

    Attributes:
        queued: seconds until recovery had queued the run.
        recovery: the recovery time, in seconds.
        repeats: the number of genes that HGNC was asked about again.
    """

    queued: float
    recovery: float
    repeats: int


class KilledRuns:
    """Runs, one after the other, whose workers are killed."""

    def __init__(self, plant: Plant, sandbox: str, seed: int) -> None:
        self._plant = plant
        self._sandbox = sandbox
        self._run_id = 0
        self._random = random.Random(seed)  # noqa: S311 - moments of kills
        started = (plant.ready_worker(), plant.ready_worker())
        self._workers: dict[int, Process] = {each.pid: each for each in started}
        self._begin()

    def _begin(self) -> None:
        # each run asks about all genes; only repeated requests of one run count
        httpx.post(f"{self._sandbox}/_sandbox/reset").raise_for_status()
        self._run_id = self._plant.annotate("--mode", "full", "hgnc")

    def kill(self) -> Kill:
        """Kill the worker that executes the run, and measure the recovery."""
        if self._await_commit()["done"] > GENES - LAST_GENES:
            self.end()
            self._begin()
            self._await_commit()
        time.sleep(self._random.uniform(0, 1))
        repeats = self._repeats()
        dead = self._workers.pop(self._run()["pid"])
        at = time.time()
        os.kill(dead.pid, signal.SIGKILL)
        replacement = self._plant.ready_worker()
        self._workers[replacement.pid] = replacement
        self._await_commit()
        events = self._plant.rows(
            "SELECT event, extract(epoch FROM at)::float8 AS at FROM run_events"
            " WHERE run_id = %(id)s AND at > to_timestamp(%(at)s) ORDER BY id",
            id=self._run_id,
            at=at,
        )
        names = [event["event"] for event in events]
        if names not in (["lost", "taken over"], ["lost", "taken over", "succeeded"]):
            raise click.ClickException(f"the events of the run after a kill are {', '.join(names)}")
        lost, taken = events[:2]
        return Kill(lost["at"] - at, taken["at"] - at, self._repeats() - repeats)

    def _run(self) -> dict[str, Any]:
        """Read the run, with the number of done genes and the pid of its worker."""
        return self._plant.rows(
            "SELECT r.*, w.pid, coalesce(s.done, 0) AS done,"
            " r.progressed_at > r.attempt_started_at AS progressed"
            " FROM runs r LEFT JOIN workers w ON w.id = r.worker_id"
            " JOIN run_sources s ON s.run_id = r.id WHERE r.id = %(id)s",
            id=self._run_id,
        )[0]

    def _await_commit(self) -> dict[str, Any]:
        """Wait until the present attempt has committed a batch."""
        return self._until(
            lambda run: (
                run["finished_at"] is not None or (run["state"] == "running" and run["progressed"])
            )
        )

    def end(self) -> None:
        """Wait until the run has ended."""
        self._until(lambda run: run["finished_at"] is not None, seconds=300)

    def _until(
        self, holds: Callable[[dict[str, Any]], Any], seconds: float = 60.0
    ) -> dict[str, Any]:
        deadline = time.monotonic() + seconds
        while not holds(run := self._run()):
            if time.monotonic() > deadline:
                raise click.ClickException(f"after {seconds:g} s the run is still {run['state']}")
            time.sleep(0.05)
        return run

    def _repeats(self) -> int:
        stats = httpx.get(f"{self._sandbox}/_sandbox/stats").raise_for_status().json()
        repeats: int = stats["genes"].get(ENDPOINT, {"repeats": 0})["repeats"]
        return repeats


def _row(name: str, values: list[float]) -> list[str]:
    median, highest = statistics.median(values), max(values)
    return [name, f"{median:.2f} s", f"{highest:.2f} s"]


@click.command()
@click.option("--kills", type=click.IntRange(1), default=20, show_default=True)
@click.option(
    "--seed", type=int, default=20, show_default=True, help="The seed of the random moments."
)
def main(kills: int, seed: int) -> None:
    """Measure, print and write a table; exit with 1 if a limit is exceeded."""
    console = Console(soft_wrap=True)
    with plant() as made:
        facts = machine(made)
        options = ("--genes", str(GENES), "--limits", "off", "--hgnc-rate", str(RATE))
        sandbox = made.sandbox_process(*options)
        made.env["HGNC_BULK_THRESHOLD"] = "1000000"
        made.output("genes-import", "hgnc")
        killed = KilledRuns(made, sandbox, seed)
        done: list[Kill] = []
        for number in range(1, kills + 1):
            done.append(kill := killed.kill())
            console.print(
                f"kill {number}: queued after {kill.queued:.2f} s, recovery time"
                f" {kill.recovery:.2f} s, {kill.repeats} genes fetched again"
            )
        killed.end()
        runs = made.rows(
            "SELECT count(*) AS runs, count(*) FILTER (WHERE state = 'succeeded') AS succeeded,"
            " sum(attempts) AS attempts, sum(losses) AS losses,"
            " sum(interruptions) AS interruptions, (SELECT sum(done) FROM run_sources) AS done"
            " FROM runs"
        )[0]
    repeated = [kill.repeats for kill in done if kill.repeats]
    head = [f"{kills} kills", "median", "max"]
    rows = [
        _row("from the kill until recovery has queued the run", [kill.queued for kill in done]),
        _row("from then until a worker has claimed the run", [k.recovery - k.queued for k in done]),
        _row("**recovery time after the kill**", [kill.recovery for kill in done]),
    ]
    table = Table(*head)
    for row in rows:
        table.add_row(*(cell.strip("*") for cell in row))
    console.print(table)
    ending = (
        f"{runs['succeeded']} of {runs['runs']} runs succeeded, with {runs['done']:,} of"
        f" {runs['runs'] * GENES:,} genes done: {runs['attempts']} attempts, {runs['losses']}"
        f" losses, {runs['interruptions']} interruptions. After {len(repeated)} of {kills} kills a"
        f" batch of {BATCH} genes was fetched again, in part or whole:"
        f" {sum(repeated)} genes in all."
    )
    console.print(ending)
    written = write(
        "kills",
        "Recovery time after a kill",
        "Two workers are alive. The worker that executes the run gets SIGKILL at a random moment"
        f" (seed {seed}), and another worker is started in its place.",
        markdown.table(head, rows),
        ending,
        shows="the recovery time of a run whose worker is killed, and what the run loses",
        command="nox -s bench -- kills",
        facts=facts,
    )
    console.print(f"written to {written}")
    bad = (
        max(kill.recovery for kill in done) > LONGEST_RECOVERY
        or max(repeated, default=0) > BATCH
        or (runs["succeeded"], runs["losses"]) != (runs["runs"], kills)
        or runs["done"] != runs["runs"] * GENES
    )
    if bad:
        raise SystemExit(1)
