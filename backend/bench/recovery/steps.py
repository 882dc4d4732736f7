"""The work that both sides do: steps, each of which says by itself that it was begun."""

import asyncio
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

STEPS = 200
SECONDS = 0.05
FILE = "BENCH_STEPS_FILE"


@dataclass(frozen=True, slots=True)
class Step:
    """A step that was begun.

    Attributes:
        number: which of the job's steps.
        at: seconds since the epoch.
        pid: of the process that began it.
    """

    number: int
    at: float
    pid: int


async def do(number: int) -> None:
    """Do one step: note it, then take its time, as a request to an upstream does."""
    line = f"{number} {time.time():.6f} {os.getpid()}\n".encode()
    # one write in append mode: whole lines, whoever else writes, and there after a SIGKILL
    file = os.open(os.environ[FILE], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(file, line)
    finally:
        os.close(file)
    await asyncio.sleep(SECONDS)


class Journal:
    """The steps of one job at a time, from the file that all processes append to."""

    def __init__(self, path: Path) -> None:
        path.touch()
        self._path = path
        self._begin = 0
        self.steps: list[Step] = []

    def restart(self) -> None:
        """Forget what was read: another job begins."""
        self._begin = self._path.stat().st_size
        self.steps = []

    def read(self) -> list[Step]:
        """Return all steps of this job, the new ones included."""
        with self._path.open("rb") as file:
            file.seek(self._begin)
            new = file.read()
        self._begin += len(new)
        self.steps += map(_parse, new.decode().splitlines())
        return self.steps

    def until(self, holds: Callable[[list[Step]], bool], seconds: float = 120.0) -> None:
        """Wait until the steps are as described.

        Raises:
            TimeoutError: they are not.
        """
        deadline = time.monotonic() + seconds
        while not holds(self.read()):
            if time.monotonic() > deadline:
                raise TimeoutError(f"still {len(self.steps)} steps after {seconds:g} s")
            time.sleep(0.005)


def _parse(line: str) -> Step:
    number, at, pid = line.split()
    return Step(int(number), float(at), int(pid))


@dataclass(frozen=True, slots=True)
class Recovery:
    """What became of a job whose worker was killed.

    Attributes:
        moves: seconds until any step was begun elsewhere.
        gets_on: seconds until a step was begun that had not been begun before.
        twice: how often a step was begun that had been begun before.
    """

    moves: float
    gets_on: float
    twice: int


def recovery(steps: list[Step], killed: int, at: float) -> Recovery:
    """Read off the steps how a job got over the death of its worker.

    Args:
        steps: all of the job.
        killed: pid of the worker.
        at: when, in seconds since the epoch.
    """
    before = {step.number for step in steps if step.pid == killed}
    after = [step for step in steps if step.pid != killed]
    return Recovery(
        moves=min(step.at for step in after) - at,
        gets_on=min(step.at for step in after if step.number not in before) - at,
        twice=repeated(steps),
    )


def repeated(steps: list[Step]) -> int:
    """Count the steps that had been begun before."""
    return len(steps) - len({step.number for step in steps})
