"""The work of both sides: steps that record their start in a file."""

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
    """A step that was started.

    Attributes:
        number: the number of the step.
        at: the time of the start, in seconds since 1970.
        pid: the process that started it.
    """

    number: int
    at: float
    pid: int


async def do(number: int) -> None:
    """Execute one step: record it, then wait as long as a request to an upstream takes."""
    line = f"{number} {time.time():.6f} {os.getpid()}\n".encode()
    # a single write in append mode: lines of several processes do not mix, and survive a SIGKILL
    file = os.open(os.environ[FILE], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(file, line)
    finally:
        os.close(file)
    await asyncio.sleep(SECONDS)


class Journal:
    """The steps of one job at a time, read from the file that all processes append to."""

    def __init__(self, path: Path) -> None:
        path.touch()
        self._path = path
        self._begin = 0
        self.steps: list[Step] = []

    def restart(self) -> None:
        """Forget the steps so far, because another job starts."""
        self._begin = self._path.stat().st_size
        self.steps = []

    def read(self) -> list[Step]:
        """Return all steps of this job, including the new ones."""
        with self._path.open("rb") as file:
            file.seek(self._begin)
            new = file.read()
        self._begin += len(new)
        self.steps += map(_parse, new.decode().splitlines())
        return self.steps

    def until(self, holds: Callable[[list[Step]], bool], seconds: float = 120.0) -> None:
        """Wait until a condition on the steps is true.

        Raises:
            TimeoutError: it is not true in time.
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
    """The recovery of a job whose worker was killed.

    Attributes:
        any_step: seconds until another worker started a step.
        new_step: seconds until another worker started a step that had not been started before.
        repeated: the number of steps that were started again.
    """

    any_step: float
    new_step: float
    repeated: int


def recovery(steps: list[Step], killed: int, at: float) -> Recovery:
    """Calculate the recovery of a job from its steps.

    Args:
        steps: all steps of the job.
        killed: the pid of the killed worker.
        at: the time of the kill, in seconds since 1970.
    """
    before = {step.number for step in steps if step.pid == killed}
    after = [step for step in steps if step.pid != killed]
    return Recovery(
        any_step=min(step.at for step in after) - at,
        new_step=min(step.at for step in after if step.number not in before) - at,
        repeated=repeated(steps),
    )


def repeated(steps: list[Step]) -> int:
    """Count the steps that were started again."""
    return len(steps) - len({step.number for step in steps})
