"""Regular work that workers do beside their runs."""

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.runs.attempt import Attempt
from app.core.workers import chores
from app.core.workers.chores import Chore, LocalChore
from harness.timing import WAIT, limit
from tests.integration.conftest import QUICK, Bench

A_LONG_TIME = 3_600.0


async def nothing(attempt: Attempt) -> None:
    """Work that does nothing."""


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chores, "PAUSE_BETWEEN_PARTS", 0.0)


class Parts:
    """A chore that is done after a number of batches."""

    def __init__(self, count: int) -> None:
        self.left = count
        self.done = asyncio.Event()

    async def do(self, connection: AsyncConnection) -> bool:
        await connection.execute(text("SELECT 1"))
        self.left -= 1
        if self.left == 0:
            self.done.set()
        return self.left > 0


async def test_a_chore_runs_in_batches_until_it_is_done(bench: Bench) -> None:
    parts = Parts(3)
    worker = bench.worker(nothing, chores=[Chore("parts", A_LONG_TIME, parts.do)])
    async with worker, limit(WAIT):
        await parts.done.wait()
    assert parts.left == 0


async def test_a_chore_is_done_again_after_its_interval(bench: Bench) -> None:
    times: list[None] = []
    twice = asyncio.Event()

    async def note(connection: AsyncConnection) -> bool:
        times.append(None)
        if len(times) == 2:
            twice.set()
        return False

    async with bench.worker(nothing, chores=[Chore("again", 0.01, note)]), limit(WAIT):
        await twice.wait()


async def test_one_worker_at_a_time_does_a_part(bench: Bench) -> None:
    at_work, most = 0, 0
    parts = Parts(6)

    async def count(connection: AsyncConnection) -> bool:
        nonlocal at_work, most
        at_work += 1
        most = max(most, at_work)
        try:
            await connection.execute(text("SELECT pg_sleep(0.1)"))
        finally:  # a worker that stops cancels it
            at_work -= 1
        return await parts.do(connection)

    shared = [Chore("shared", 0.0, count)]
    workers = [bench.worker(nothing, chores=shared) for _ in range(2)]
    async with workers[0], workers[1], limit(WAIT):
        await parts.done.wait()
    assert most == 1


async def test_a_chore_that_fails_is_logged_and_tried_again_and_others_are_done(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    parts, again = Parts(1), asyncio.Event()

    async def fail(connection: AsyncConnection) -> bool:
        if "the broken chore failed" in caplog.text:
            again.set()
        await connection.execute(text("SELECT 1 / 0"))
        return True

    broken = Chore("the broken chore", 0.01, fail)
    both = [broken, Chore("parts", A_LONG_TIME, parts.do)]
    async with bench.worker(nothing, chores=both), limit(WAIT):
        await parts.done.wait()
        await again.wait()
    assert "division by zero" in caplog.text


async def test_a_chore_that_hangs_delays_neither_runs_nor_heartbeats_nor_the_end(
    bench: Bench,
) -> None:
    begun = asyncio.Event()

    async def hang(connection: AsyncConnection) -> bool:
        begun.set()
        await connection.execute(text("SELECT pg_sleep(600)"))
        return False

    created = await bench.request()
    slow = [Chore("hangs", A_LONG_TIME, hang)]
    timing = replace(QUICK, stale=60.0)
    async with bench.worker(nothing, chores=slow, timing=timing) as engine, limit(WAIT):
        await begun.wait()
        run = await bench.ended(created.ref.run_id)
        beat = "SELECT heartbeat_at FROM workers WHERE id = :id"
        heartbeats = set()
        while len(heartbeats) < 3:
            async with bench.db.connect() as connection:
                found = await connection.execute(text(beat), {"id": engine.liveness.worker_id})
                heartbeats.add(found.scalar_one())
            await asyncio.sleep(0.01)
    assert run.state == "succeeded"


async def test_each_worker_does_a_local_chore_and_waits_for_no_other(bench: Bench) -> None:
    times = 0
    both = asyncio.Event()

    async def meet() -> bool:
        nonlocal times
        times += 1
        if times == 2:
            both.set()
        await both.wait()
        return False

    local = [LocalChore("local", A_LONG_TIME, meet)]
    workers = [bench.worker(nothing, chores=local) for _ in range(2)]
    async with workers[0], workers[1], limit(WAIT):
        await both.wait()


async def test_workers_of_any_number_start_while_a_chore_is_being_done(bench: Bench) -> None:
    begun, end = asyncio.Event(), asyncio.Event()

    async def last(connection: AsyncConnection) -> bool:
        begun.set()
        await end.wait()
        return False

    async with bench.worker(nothing, chores=[Chore("lasts", A_LONG_TIME, last)]), limit(WAIT):
        await begun.wait()
        for number in range(2, 8):
            async with bench.worker(nothing) as engine:
                assert engine.liveness.worker_id == number
        end.set()
