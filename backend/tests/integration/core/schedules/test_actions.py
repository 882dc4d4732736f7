"""The work of ticks that create no run: who does it, how often, and what is noted of its end."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.errors import Conflict, Superseded, UserError, WrongUse
from app.core.runs.attempt import Attempt
from app.core.schedules import operations, views, work
from app.core.schedules.actions import Action, Actions
from app.core.schedules.work import MAX_FAILURES, TickWork
from app.core.workers.engine import Engine
from tests.integration.core.schedules.conftest import Timetable, plan
from tests.people import ADA

Do = Callable[[TickWork], Awaitable[None]]


async def accept(connection: AsyncConnection, options: Mapping[str, Any]) -> dict[str, Any]:
    del connection
    if options.get("folder") == "nowhere":
        raise WrongUse("there is no folder nowhere")
    return {**options, "checked": True}


async def finish(mine: TickWork) -> None:
    async with mine.db.begin() as connection:
        await mine.done(connection, f"{mine.action} of {mine.schedule}", {"epoch": mine.epoch})


def can(do: Do = finish, *names: str) -> Actions:
    return dict.fromkeys(names or ("backup",), Action(accept, do))


async def no_runs(attempt: Attempt) -> None:
    raise AssertionError(attempt)


class Worker:
    """Workers that do the ticks of a timetable."""

    def __init__(self, timetable: Timetable) -> None:
        self.timetable = timetable

    @asynccontextmanager
    async def doing(self, do: Do, **more: Any) -> AsyncIterator[Engine]:
        bench = self.timetable.bench
        async with bench.worker(no_runs, plan=plan, actions=can(do), **more) as engine:
            yield engine


@pytest.fixture
def worker(timetable: Timetable) -> Worker:
    return Worker(timetable)


async def claim(timetable: Timetable, worker_id: int = 0) -> TickWork | None:
    """Claim a tick for a worker whose state is unknown."""
    db = timetable.bench.db.execution_options(isolation_level="AUTOCOMMIT")
    async with db.connect() as connection:
        return await work.claim(connection, timetable.bench.db, worker_id, ["backup"])


async def taken_from_the_dead(timetable: Timetable) -> list[str]:
    async with timetable.bench.db.begin() as connection:
        return [row.outcome for row in await work.take_from_the_dead(connection)]


async def begun(timetable: Timetable, **changes: Any) -> TickWork:
    """Return work in progress of a dead worker."""
    await timetable.add(can=can(), action="backup", **changes)
    await timetable.due()
    await timetable.poll()
    claimed = await claim(timetable)
    assert claimed is not None
    return claimed


async def test_a_tick_waits_and_its_work_is_done_once(timetable: Timetable, worker: Worker) -> None:
    done: list[TickWork] = []

    async def do(mine: TickWork) -> None:
        done.append(mine)
        await finish(mine)

    await timetable.add(can=can(), action="backup", options={"folder": "/f"})
    async with worker.doing(do):
        await timetable.due()
        tick = await timetable.until(lambda tick: tick["outcome"] == "done")
        async with worker.doing(do):
            pass
    assert (tick["reason"], tick["result"]) == ("backup of nightly", {"epoch": 1})
    (mine,) = done
    assert mine.options == {"folder": "/f", "checked": True}
    assert (mine.tick, mine.epoch) == (tick["tick"], 1)
    assert await timetable.rows("SELECT id FROM runs") == []


async def test_a_worker_of_the_former_version_leaves_such_schedules_alone(
    timetable: Timetable,
) -> None:
    await timetable.add(can=can(), action="backup")
    await timetable.add("refresh")
    await timetable.due()
    await timetable.due(name="refresh")
    # the view that it reads
    rows = await timetable.rows("SELECT name FROM due_schedules JOIN schedules USING (id)")
    assert [row["name"] for row in rows] == ["refresh"]


async def test_a_worker_that_dies_at_any_statement_of_the_tick_leaves_it_to_others(
    timetable: Timetable,
) -> None:
    await timetable.add(can=can(), action="backup")
    await timetable.due()
    statements = 0
    async for _ in timetable.deaths():
        statements += 1
        assert await timetable.outcomes() == []
    assert statements > 3
    assert await timetable.outcomes() == [("waiting", None, None)]
    assert await timetable.poll() == []


async def test_several_workers_do_the_work_of_each_tick_once(
    timetable: Timetable, worker: Worker
) -> None:
    count = 30
    done: list[str] = []

    async def do(mine: TickWork) -> None:
        done.append(mine.schedule)
        await finish(mine)

    for number in range(count):
        await timetable.add(f"s{number}", can=can(), action="backup")
    async with worker.doing(do), worker.doing(do):
        await timetable.change("UPDATE schedules SET next_at = now() - interval '1 s'")
        while len(done) < count:
            await asyncio.sleep(0.02)
    assert sorted(done) == sorted(f"s{number}" for number in range(count))
    rows = await timetable.rows("SELECT outcome, epoch, failures FROM schedule_ticks")
    assert {tuple(row.values()) for row in rows} == {("done", 1, 0)}
    assert len(rows) == count


async def test_two_workers_never_do_two_ticks_of_one_schedule_at_the_same_time(
    timetable: Timetable,
) -> None:
    first = await begun(timetable, overlap="queue")
    await timetable.due("0 s")
    await timetable.poll()
    outcomes = [outcome for outcome, _, _ in await timetable.outcomes()]
    assert outcomes == ["running", "waiting"]
    assert await claim(timetable) is None
    await finish(first)
    found = await asyncio.gather(*(claim(timetable) for _ in range(3)))
    assert len([each for each in found if each is not None]) == 1


async def test_the_work_of_a_dead_worker_is_begun_again_and_its_end_recorded_once(
    timetable: Timetable, worker: Worker
) -> None:
    mine = await begun(timetable)
    async with worker.doing(finish):
        tick = await timetable.until(lambda tick: tick["outcome"] == "done")
    # it was taken from the dead worker, and claimed
    assert (tick["result"], tick["failures"]) == ({"epoch": 3}, 1)
    with pytest.raises(Superseded):
        await finish(mine)
    async with timetable.bench.db.begin() as connection:
        assert await mine.failed(connection, "too late") is None
    assert await timetable.tick() == tick


async def test_work_that_takes_its_worker_along_each_time_is_given_up(
    timetable: Timetable,
) -> None:
    await begun(timetable)
    for number in range(1, MAX_FAILURES):
        assert await taken_from_the_dead(timetable) == ["waiting"]
        assert (await timetable.tick())["failures"] == number
        assert await claim(timetable) is not None
    assert await taken_from_the_dead(timetable) == ["failed"]
    assert "worker 0 died" in (await timetable.tick())["reason"]
    assert await claim(timetable) is None


async def test_work_that_fails_is_tried_again_later_and_then_given_up(
    timetable: Timetable, worker: Worker
) -> None:
    async def do(mine: TickWork) -> None:
        raise UserError(f"no room, epoch {mine.epoch}", remedy="make room")

    await timetable.add(can=can(), action="backup")
    async with worker.doing(do):
        await timetable.due()
        for number in range(1, MAX_FAILURES):
            tick = await timetable.until(lambda tick, n=number: tick["failures"] == n)
            assert tick["outcome"] == "waiting"
            assert "no room, epoch" in tick["reason"]
            wait = tick["not_before"] - tick["at"]
            assert wait.total_seconds() == pytest.approx(60 * 4 ** (number - 1), abs=1)
            await timetable.change("UPDATE schedule_ticks SET not_before = now()")
        tick = await timetable.until(lambda tick: tick["outcome"] == "failed")
    assert tick["reason"].endswith("; make room")
    async with timetable.bench.db.connect() as connection:
        (end,) = await views.last_ends(connection)
    assert (end.failing, end.action, end.tick) == (True, "backup", tick["tick"])


async def test_no_secret_is_noted_of_a_failure(timetable: Timetable, worker: Worker) -> None:
    async def do(mine: TickWork) -> None:
        raise ValueError(f"{mine.schedule} postgresql://kidney:hunter2@db/genes does not answer")

    await timetable.add(can=can(), action="backup")
    async with worker.doing(do):
        await timetable.due()
        tick = await timetable.until(lambda tick: tick["failures"] == 1)
    assert "ValueError" in tick["reason"]
    assert "hunter2" not in tick["reason"]


async def test_work_that_takes_too_long_is_stopped(timetable: Timetable, worker: Worker) -> None:
    async def do(mine: TickWork) -> None:
        await asyncio.Event().wait()

    await timetable.add(can=can(), action="backup")
    async with worker.doing(do, arq_job_timeout=0.2):
        await timetable.due()
        tick = await timetable.until(lambda tick: tick["failures"] == 1)
    assert tick["reason"] == f"on {socket.gethostname()}: it timed out after 0.2 s"


async def test_a_worker_that_is_stopped_gives_the_work_to_another_at_once(
    timetable: Timetable, worker: Worker
) -> None:
    cleaned_up = asyncio.Event()

    async def hang(mine: TickWork) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cleaned_up.set()

    await timetable.add(can=can(), action="backup")
    async with worker.doing(hang):
        await timetable.due()
        await timetable.until(lambda tick: tick["outcome"] == "running")
    assert cleaned_up.is_set()
    assert (await timetable.tick())["outcome"] == "waiting"
    async with worker.doing(finish):
        tick = await timetable.until(lambda tick: tick["outcome"] == "done")
    assert (tick["failures"], tick["result"]) == (0, {"epoch": 3})


async def test_work_whose_schedule_is_removed_is_stopped(
    timetable: Timetable, worker: Worker
) -> None:
    stopped = asyncio.Event()

    async def hang(mine: TickWork) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    await timetable.add(can=can(), action="backup")
    async with worker.doing(hang):
        await timetable.due()
        await timetable.until(lambda tick: tick["outcome"] == "running")
        async with timetable.bench.db.begin() as connection:
            await operations.remove(connection, "nightly")
        await stopped.wait()
    assert await timetable.outcomes() == []


async def test_work_whose_end_could_not_be_recorded_is_begun_again(
    timetable: Timetable, worker: Worker
) -> None:
    epochs: list[int] = []

    async def do(mine: TickWork) -> None:
        epochs.append(mine.epoch)
        if len(epochs) == 1:
            raise ConnectionRefusedError
        await finish(mine)

    await timetable.add(can=can(), action="backup")
    async with worker.doing(do):
        await timetable.due()
        await timetable.until(lambda tick: tick["not_before"] is not None)
        await timetable.change("UPDATE schedule_ticks SET not_before = now()")
        await timetable.until(lambda tick: tick["outcome"] == "done")
    assert len(epochs) == 2


@pytest.mark.parametrize(
    ("overlap", "last"),
    [("skip", "skipped"), ("queue", "waiting")],
)
async def test_a_tick_while_an_earlier_one_is_not_done_is_skipped_or_waits(
    timetable: Timetable, overlap: str, last: str
) -> None:
    await begun(timetable, overlap=overlap)
    for _ in range(2):
        await timetable.due("0 s")
        await timetable.poll()
    outcomes = [outcome for outcome, _, _ in await timetable.outcomes()]
    # one waits at most
    assert outcomes == ["running", last, "skipped"]


async def test_a_paused_schedule_starts_no_waiting_work(timetable: Timetable) -> None:
    await timetable.add(can=can(), action="backup")
    await timetable.due()
    await timetable.poll()
    async with timetable.bench.db.begin() as connection:
        await operations.pause(connection, "nightly", actor=ADA)
    assert await timetable.outcomes() == [("skipped", None, "the schedule was paused")]
    assert await claim(timetable) is None


async def test_a_tick_can_be_done_at_once_but_not_twice_in_a_second(timetable: Timetable) -> None:
    await timetable.add(can=can(), action="backup")
    async with timetable.bench.db.begin() as connection:
        # the time of a transaction does not stand still, but a second is long
        await operations.run_now(connection, "nightly", plan, actor=ADA)
    tick = await timetable.tick()
    assert (tick["outcome"], tick["tick"].microsecond) == ("waiting", 0)
    await timetable.change(
        "UPDATE schedule_ticks SET tick = date_trunc('second', clock_timestamp() + interval '1 s')"
    )
    async with timetable.bench.db.begin() as connection:
        while await timetable.rows("SELECT FROM schedule_ticks WHERE tick > clock_timestamp()"):
            await asyncio.sleep(0.01)
        with pytest.raises(Conflict, match="this second"):
            await operations.run_now(connection, "nightly", plan, actor=ADA)


async def test_a_clock_that_is_set_back_neither_repeats_nor_delays_the_work(
    timetable: Timetable,
) -> None:
    mine = await begun(timetable)
    async with timetable.bench.db.begin() as connection:
        assert await mine.failed(connection, "no room") == "waiting"
    # the clock was years ahead when the work failed
    await timetable.change("UPDATE schedule_ticks SET not_before = not_before + interval '3 years'")
    again = await claim(timetable)
    assert again is not None
    await finish(again)
    await timetable.change("UPDATE schedules SET next_at = tick FROM schedule_ticks")
    await timetable.poll()
    assert [outcome for outcome, _, _ in await timetable.outcomes()] == ["done"]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"action": "dance"}, "unknown action"),
        ({"kind": "release", "cron": None, "every": timedelta(days=1)}, "with a release schedule"),
        ({"sources": ("a",)}, "sources"),
        ({"options": {"folder": "nowhere"}}, "no folder nowhere"),
        ({"action": "refresh", "options": {"folder": "/f"}}, "no options"),
    ],
)
async def test_a_schedule_that_cannot_be_done_is_refused(
    timetable: Timetable, changes: dict[str, Any], problem: str
) -> None:
    with pytest.raises(WrongUse, match=problem):
        await timetable.add(can=can(), **({"action": "backup"} | changes))
    assert await timetable.rows("SELECT id FROM schedules") == []
