"""Compares plain arq and this project when a worker is killed: `python -m bench recovery`.

The work is a job of 200 steps of 50 ms. Each step records its start in a file, so that both sides
are judged by what they did and not by what they report. Two workers are alive. The worker that
executes the job gets SIGKILL at its 100th step. In another job it gets SIGTERM five times, as in
five deploys, with 20 steps in between. A worker that ended is replaced immediately.

The comparison shows what a user gets without writing code for recovery. Both sides use the same
Redis and the same machine, one after the other.

- Plain arq is a real `arq` worker with settings as its documentation shows them. Only the timeout
    is set, to 20 s, because its default of 300 s takes too long to wait for. The time that a job
    waits after a SIGKILL depends on the timeout alone, so the time for a timeout of 6 hours is
    calculated and not measured. The job starts again at its first step, because arq leaves
    checkpoints to the job. A shorter timeout makes recovery faster, but limits the length of jobs.
    `job_completion_wait` (0 by default) would let a job survive a SIGTERM if it ends in time.
- This project does the job as a run over 200 genes, with a source that takes 50 ms for each gene.
  It commits every step to PostgreSQL, with fsync, which plain arq does not do. The time without a
  signal shows what that costs.

Throughput, memory and other properties are not compared.
"""

import signal
import statistics
import time
from dataclasses import dataclass
from datetime import timedelta
from importlib.metadata import version

import click
from rich.console import Console
from rich.table import Table

from bench._measured import machine, write
from bench._plant import plant
from bench.recovery import steps
from bench.recovery.sides import Ending, PlainArq, Side, ThisProject, await_end, lease
from bench.recovery.steps import Journal, Recovery
from harness import Process
from reference import markdown

ARQ_TIMEOUT = 20
LONG_TIMEOUT = 21_600
MIDDLE = steps.STEPS // 2
STEPS_BETWEEN_STOPS = 20
STOPS = 5


@dataclass(frozen=True, slots=True)
class Outcome:
    """The results of one side.

    Attributes:
        undisturbed: the seconds of a job without a signal, from the first step to the last.
        kills: the recovery of each job whose worker was killed.
        stopped: the end of the job whose workers were stopped five times.
        done: the number of different steps of that job.
        repeated: the number of steps of that job that were started again.
    """

    undisturbed: float
    kills: list[Recovery]
    stopped: Ending
    done: int
    repeated: int


class Measurement:
    """Two workers of one side, and the journal of their steps."""

    def __init__(self, side: Side, journal: Journal) -> None:
        self._side = side
        self._journal = journal
        started = (side.start_worker(), side.start_worker())
        self._workers: dict[int, Process] = {each.pid: each for each in started}

    def measure(self, kills: int) -> Outcome:
        """Execute all jobs, one after the other, and stop the workers."""
        undisturbed = self._undisturbed()
        recoveries = [self._killed() for _ in range(kills)]
        stopped = self._stopped()
        outcome = Outcome(
            undisturbed,
            recoveries,
            stopped,
            done=len({step.number for step in self._journal.steps}),
            repeated=steps.repeated(self._journal.steps),
        )
        for worker in self._workers.values():
            worker.stop()
        return outcome

    def _begin(self) -> None:
        self._journal.restart()
        self._side.enqueue()

    def _end(self, signum: signal.Signals, *, wait: bool) -> tuple[int, float]:
        """Send a signal to the worker that executes the job, and start a new worker."""
        pid = self._journal.steps[-1].pid
        at = time.time()
        self._workers[pid].send_signal(signum)
        self._workers.pop(pid).wait(30)
        replacement = self._side.start_worker(wait=wait)
        self._workers[replacement.pid] = replacement
        return pid, at

    def _undisturbed(self) -> float:
        self._begin()
        await_end(self._side)
        done = self._journal.read()
        return done[-1].at - done[0].at + steps.SECONDS

    def _killed(self) -> Recovery:
        self._begin()
        self._journal.until(lambda done: len(done) >= MIDDLE)
        pid, at = self._end(signal.SIGKILL, wait=True)
        ending = await_end(self._side)
        done = self._journal.read()
        if len({step.number for step in done}) != steps.STEPS:
            raise click.ClickException(f"{self._side.name}: {ending.words}, with steps missing")
        return steps.recovery(done, pid, at)

    def _stopped(self) -> Ending:
        self._begin()
        for _ in range(STOPS):
            seen = len(self._journal.steps)
            self._journal.until(lambda done, seen=seen: len(done) >= seen + STEPS_BETWEEN_STOPS)  # type: ignore[misc]
            # does not wait for the new worker, because the job continues meanwhile and could end
            self._end(signal.SIGTERM, wait=False)
        ending = await_end(self._side)
        self._journal.read()
        return ending


def table(arq: Outcome, ours: Outcome) -> list[list[str]]:
    """Return the rows of the table, with a column for each side."""
    long = timedelta(seconds=lease(LONG_TIMEOUT))
    hours, rest = divmod(int(long.total_seconds()), 3_600)
    formula = f"until {hours} h {rest // 60} min {rest % 60} s after its pick-up *"
    both = (arq, ours)

    def spread(name: str) -> list[str]:
        return [_spread([getattr(kill, name) for kill in side.kills]) for side in both]

    def repeated(side: Outcome) -> str:
        return str(max(kill.repeated for kill in side.kills))

    return [
        ["no signal: seconds for the job", *(f"{side.undisturbed:.1f}" for side in both)],
        ["SIGKILL: seconds until another worker starts a step", *spread("any_step")],
        ["SIGKILL: seconds until it starts a new step", *spread("new_step")],
        ["SIGKILL: steps that were started twice, at most", *map(repeated, both)],
        ["SIGKILL, with a timeout of 6 h: the job waits", formula, "no longer than with 20 s"],
        [f"{STOPS} SIGTERM: end of the job", *(side.stopped.words for side in both)],
        [f"{STOPS} SIGTERM: attempts", *(side.stopped.tries for side in both)],
        [f"{STOPS} SIGTERM: completed steps of {steps.STEPS}", *(str(side.done) for side in both)],
        [f"{STOPS} SIGTERM: steps that were started twice", *(str(side.repeated) for side in both)],
    ]


def _spread(values: list[float]) -> str:
    median = f"{statistics.median(values):.2f}"
    if len(values) == 1:
        return median
    return f"{median} ({min(values):.2f} to {max(values):.2f})"


@click.command()
@click.option("--kills", type=click.IntRange(1), default=3, show_default=True)
def main(kills: int) -> None:
    """Measure both sides, print the table and write it to the documentation."""
    with plant() as made:
        facts = machine(made)
        path = made.folder / "steps"
        made.env[steps.FILE] = str(path)
        journal = Journal(path)
        sides: tuple[Side, Side] = (PlainArq(made, ARQ_TIMEOUT), ThisProject(made))
        arq, ours = (Measurement(side, journal).measure(kills) for side in sides)
    rows = table(arq, ours)
    head = ["what is measured", *(side.name for side in sides)]
    printed = Table(title="a job of 200 steps of 50 ms, two workers")
    for column in head:
        printed.add_column(column)
    for row in rows:
        printed.add_row(*row)
    console = Console(soft_wrap=True)
    console.print(printed)
    note = (
        f"\\* calculated, not measured: arq {version('arq')} keeps the job of a dead worker for the"
        " longest timeout of all functions plus 10 s, counted from its pick-up (`arq/worker.py`,"
        f" `in_progress_timeout_s`). With a timeout of {ARQ_TIMEOUT} s that is"
        f" {lease(ARQ_TIMEOUT):g} s."
    )
    console.print(note.removeprefix("\\"))
    tried = "one job" if kills == 1 else f"{kills} jobs; the table has the median and the range"
    written = write(
        "recovery",
        "A killed worker, compared with plain arq",
        "The job has 200 steps of 50 ms, and two workers are alive. The worker that has the job"
        f" gets SIGKILL at its 100th step ({tried}). A new step is one that was not started before"
        f" the signal. In another job the workers get SIGTERM {STOPS} times, as in deploys. Both"
        " sides use the same Redis and the same machine, one after the other. arq has the settings"
        f" that its documentation shows and a timeout of {ARQ_TIMEOUT} s. This project commits"
        " every step to PostgreSQL; arq stores nothing.",
        markdown.table(head, rows),
        note,
        shows="what this project adds to arq when a worker is killed or stopped",
        command="nox -s bench -- recovery",
        facts=facts,
    )
    console.print(f"written to {written}")
