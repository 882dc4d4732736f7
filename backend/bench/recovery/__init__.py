"""The same work on plain arq and on this project, its worker killed: `python -m bench recovery`.

The work is a job of 200 steps of 50 ms. Each step notes by itself, in a file, that it was begun,
so that both sides are judged by what was done and not by what they say. Two workers are alive; the
one that has the job gets SIGKILL at its 100th step, or in another job SIGTERM five times, as five
deploys do, each with 20 steps in between. A worker that has gone is replaced at once.

What is compared is what one gets without writing recovery oneself. Both run on the same Redis and
the same machine, one after the other.

- Plain arq is a real `arq` worker with settings as its documentation shows them; only the timeout
  is set, to 20 s, as its default of 300 s would take longer to wait for. How long a job lies after
  a SIGKILL follows from the timeout alone, so the same for 6 hours is worked out, not measured.
  Its job begins anew at its first step, as arq leaves checkpoints to the job. A shorter timeout
  makes it quicker, and forbids longer jobs; `job_completion_wait` (0 by default) would let a job
  that ends in time survive a SIGTERM.
- This project does it as a run over 200 genes with a source that takes 50 ms for each. It commits
  every step to PostgreSQL, with fsync, which plain arq does not do: the row "undisturbed" shows
  what that costs.

Not compared: throughput, memory, and anything else that arq does or does not do.
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
from demo.stage import Process
from reference import markdown

ARQ_TIMEOUT = 20
LONG_TIMEOUT = 21_600
MIDDLE = steps.STEPS // 2
STEPS_BETWEEN_STOPS = 20
STOPS = 5


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was measured on one side.

    Attributes:
        undisturbed: seconds from the first step to the last.
        kills: a job each.
        stopped: how the job ended that was stopped five times.
        done: how many different steps it got done.
        twice: how often it began one again.
    """

    undisturbed: float
    kills: list[Recovery]
    stopped: Ending
    done: int
    twice: int


class Crew:
    """Two workers of one side, and the journal of what they do."""

    def __init__(self, side: Side, journal: Journal) -> None:
        self._side = side
        self._journal = journal
        started = (side.start_worker(), side.start_worker())
        self._workers: dict[int, Process] = {each.popen.pid: each for each in started}

    def measure(self, kills: int) -> Outcome:
        """Do all jobs, one after the other, and send the workers home."""
        undisturbed = self._undisturbed()
        recoveries = [self._killed() for _ in range(kills)]
        stopped = self._stopped()
        outcome = Outcome(
            undisturbed,
            recoveries,
            stopped,
            done=len({step.number for step in self._journal.steps}),
            twice=steps.repeated(self._journal.steps),
        )
        for worker in self._workers.values():
            worker.stop()
        return outcome

    def _begin(self) -> None:
        self._journal.restart()
        self._side.enqueue()

    def _end(self, signum: signal.Signals, *, wait: bool) -> tuple[int, float]:
        """Send a signal to the worker that has the job, and put another in its place."""
        pid = self._journal.steps[-1].pid
        at = time.time()
        self._workers[pid].popen.send_signal(signum)
        self._workers.pop(pid).popen.wait(30)
        replacement = self._side.start_worker(wait=wait)
        self._workers[replacement.popen.pid] = replacement
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
            # without waiting: the job goes on meanwhile, and could come to its end
            self._end(signal.SIGTERM, wait=False)
        ending = await_end(self._side)
        self._journal.read()
        return ending


def table(arq: Outcome, ours: Outcome) -> list[list[str]]:
    """Put both sides into rows."""
    long = timedelta(seconds=lease(LONG_TIMEOUT))
    hours, rest = divmod(int(long.total_seconds()), 3_600)
    formula = f"{hours} h {rest // 60} m {rest % 60} s after the pick-up *"
    both = (arq, ours)

    def spread(name: str) -> list[str]:
        return [_spread([getattr(kill, name) for kill in side.kills]) for side in both]

    def twice(side: Outcome) -> str:
        return str(max(kill.twice for kill in side.kills))

    return [
        ["undisturbed, seconds", *(f"{side.undisturbed:.1f}" for side in both)],
        ["SIGKILL: seconds until a step is begun again", *spread("moves")],
        ["SIGKILL: seconds until a new step is begun", *spread("gets_on")],
        ["SIGKILL: steps begun twice, at most", *map(twice, both)],
        ["SIGKILL, with a timeout of 6 h", formula, "the same: it depends on no timeout"],
        [f"{STOPS} SIGTERM: the job ends", *(side.stopped.words for side in both)],
        [f"{STOPS} SIGTERM: tries", *(side.stopped.tries for side in both)],
        [f"{STOPS} SIGTERM: steps done of {steps.STEPS}", *(str(side.done) for side in both)],
        [f"{STOPS} SIGTERM: steps begun twice", *(str(side.twice) for side in both)],
    ]


def _spread(values: list[float]) -> str:
    median = f"{statistics.median(values):.2f}"
    if len(values) == 1:
        return median
    return f"{median} ({min(values):.2f} to {max(values):.2f})"


@click.command()
@click.option("--kills", type=click.IntRange(1), default=3, show_default=True)
def main(kills: int) -> None:
    """Measure both sides, print the table and write it for the documentation."""
    with plant() as made:
        facts = machine(made)
        path = made.folder / "steps"
        made.env[steps.FILE] = str(path)
        journal = Journal(path)
        sides: tuple[Side, Side] = (PlainArq(made, ARQ_TIMEOUT), ThisProject(made))
        arq, ours = (Crew(side, journal).measure(kills) for side in sides)
    rows = table(arq, ours)
    head = ["what happens", *(side.name for side in sides)]
    printed = Table(title="a job of 200 steps of 50 ms, two workers")
    for column in head:
        printed.add_column(column)
    for row in rows:
        printed.add_row(*row)
    console = Console(soft_wrap=True)
    console.print(printed)
    note = (
        f"\\* not measured: arq {version('arq')} keeps a job of a dead worker for the longest"
        " timeout of all its functions plus 10 s, from when it was picked up (`arq/worker.py`,"
        f" `in_progress_timeout_s`). With {ARQ_TIMEOUT} s that is {lease(ARQ_TIMEOUT):g} s."
    )
    console.print(note.removeprefix("\\"))
    tried = "one job" if kills == 1 else f"{kills} jobs: median, and the range"
    written = write(
        "recovery",
        "A killed worker, beside plain arq",
        "A job of 200 steps of 50 ms, two workers alive. The one that has the job gets SIGKILL at"
        f" its 100th step ({tried}), or SIGTERM {STOPS} times in one job, as deploys do."
        " Same Redis, same machine, one after the other; arq with the settings"
        f" that its documentation shows and a timeout of {ARQ_TIMEOUT} s. This project commits"
        " every step to PostgreSQL, arq nothing.",
        markdown.table(head, rows),
        note,
        question="what this project adds to arq when a worker is killed or told to stop",
        command="nox -s bench -- recovery",
        facts=facts,
    )
    console.print(f"written to {written}")
