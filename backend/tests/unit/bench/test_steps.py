import asyncio
import os
from pathlib import Path

import pytest

from bench.recovery import steps
from bench.recovery.steps import Journal, Step

KILLED, OTHER = 11, 22


def test_a_recovery_is_calculated_from_the_steps() -> None:
    before = [Step(number, 100.0 + number, KILLED) for number in (1, 2, 3)]
    after = [Step(number, 110.0 + number, OTHER) for number in (1, 2, 3, 4)]
    got = steps.recovery(before + after, KILLED, at=103.5)
    assert got == steps.Recovery(any_step=7.5, new_step=10.5, repeated=3)


def test_a_job_that_continues_repeats_only_the_step_that_was_not_finished() -> None:
    done = [Step(1, 1.0, KILLED), Step(2, 2.0, KILLED), Step(2, 3.0, OTHER), Step(3, 4.0, OTHER)]
    assert steps.recovery(done, KILLED, at=2.5) == steps.Recovery(0.5, 1.5, 1)


async def test_the_journal_contains_the_steps_of_the_latest_job_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, "SECONDS", 0)
    monkeypatch.setenv(steps.FILE, str(tmp_path / "steps"))
    journal = Journal(tmp_path / "steps")
    await asyncio.gather(*map(steps.do, range(3)))
    journal.until(lambda done: len(done) == 3)
    journal.restart()
    assert journal.read() == []
    await steps.do(7)
    (step,) = journal.read()
    assert (step.number, step.pid) == (7, os.getpid())
    with pytest.raises(TimeoutError, match="still 1 steps"):
        journal.until(lambda done: len(done) == 2, seconds=0)
