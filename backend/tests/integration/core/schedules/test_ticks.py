"""Which runs the schedules create, and what is noted of each tick."""

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from app.core.errors import Conflict, NotFound, WrongUse
from app.core.schedules import operations
from app.core.workers.engine import Attempt
from harness.timing import limit
from tests.integration.core.schedules.conftest import DAY, Timetable, plan
from tests.people import ADA


async def test_a_schedule_that_is_not_due_creates_nothing(timetable: Timetable) -> None:
    await timetable.add()
    assert await timetable.poll() == []
    assert await timetable.outcomes() == []


async def test_a_tick_creates_its_run_and_the_next_time(timetable: Timetable) -> None:
    await timetable.add(sources=("a", "b"))
    await timetable.due()
    (ref,) = await timetable.poll()

    assert await timetable.outcomes() == [("ran", ref.run_id, None)]
    (created,) = await timetable.rows("SELECT actor FROM run_events")
    assert created["actor"] == "nightly, schedule"
    (run,) = await timetable.rows("SELECT * FROM runs")
    assert (run["state"], run["sources"], run["mode"]) == ("queued", ["a", "b"], "smart")
    (row,) = await timetable.rows(
        "SELECT next_at > now() AND next_at < now() + interval '24 hours' AS ok,"
        " to_char(next_at AT TIME ZONE 'UTC', 'HH24:MI') AS time FROM schedules"
    )
    assert (row["ok"], row["time"]) == (True, "03:00")
    assert await timetable.poll() == []


async def test_a_tick_is_skipped_while_a_run_of_one_of_its_sources_is_active(
    timetable: Timetable,
) -> None:
    run_id = (await timetable.bench.request(("b",))).ref.run_id
    await timetable.add(sources=("a", "b"))
    await timetable.due()

    assert await timetable.poll() == []
    assert await timetable.outcomes() == [("skipped", run_id, f"run {run_id} is active")]


async def test_a_queued_tick_runs_when_the_active_run_has_ended(timetable: Timetable) -> None:
    run_id = (await timetable.bench.request(("a",))).ref.run_id
    await timetable.add(overlap="queue")
    await timetable.due()
    assert await timetable.poll() == []
    assert await timetable.outcomes() == [("queued", run_id, f"run {run_id} is active")]
    # the next tick has nothing to add
    await timetable.due()
    assert await timetable.poll() == []
    await timetable.end(run_id)

    (ref,) = await timetable.poll()
    assert await timetable.outcomes() == [
        ("ran", ref.run_id, None),
        ("skipped", None, "an earlier tick is queued"),
    ]
    assert await timetable.poll() == []


@pytest.mark.parametrize(
    ("catch_up", "outcomes"),
    [(DAY, ["missed", "missed", "missed", "ran"]), (timedelta(), ["missed"] * 4)],
)
async def test_of_the_ticks_that_everybody_missed_the_latest_is_made_up_for(
    timetable: Timetable, catch_up: timedelta, outcomes: list[str]
) -> None:
    # due each day, two hours before now
    (now,) = await timetable.rows("SELECT extract(hour FROM now() AT TIME ZONE 'UTC') AS hour")
    hour = (int(now["hour"]) - 2) % 24
    await timetable.add(cron=f"0 {hour} * * *", catch_up=catch_up)
    await timetable.change("UPDATE schedules SET next_at = next_at - interval '4 days'")

    assert len(await timetable.poll()) == outcomes.count("ran")
    found = await timetable.outcomes()
    assert [outcome for outcome, _, _ in found] == outcomes
    assert {reason for outcome, _, reason in found if outcome == "missed"} == {
        "no worker was alive"
    }


async def test_years_of_missed_ticks_are_not_all_noted(timetable: Timetable) -> None:
    await timetable.add(cron="* * * * *", catch_up=timedelta())
    await timetable.due("9 years")
    assert len(await timetable.poll()) == 1
    assert Counter(each[0] for each in await timetable.outcomes()) == {"missed": 100, "ran": 1}


async def test_an_impossible_run_is_refused_and_the_schedule_continues(
    timetable: Timetable,
) -> None:
    await timetable.add()
    await timetable.change("UPDATE schedules SET sources = '{removed}'")
    for _ in range(2):
        await timetable.due()
        assert await timetable.poll() == []
    assert await timetable.outcomes() == [("refused", None, "unknown source 'removed'")] * 2


async def test_data_that_are_too_old_are_refreshed(timetable: Timetable) -> None:
    await timetable.add(kind="freshness", cron=None, every=8 * DAY, sources=("a", "b"))
    (ref,) = await timetable.poll()
    assert await timetable.outcomes() == [("ran", ref.run_id, None)]

    await timetable.end(ref.run_id, ago="7 days")
    await timetable.due()
    assert await timetable.poll() == []
    (row,) = await timetable.rows(
        "SELECT next_at BETWEEN now() + interval '23 hours' AND now() + interval '25 hours' AS ok"
        " FROM schedules"
    )
    assert row["ok"]

    # one source was refreshed again meanwhile, the other one was not
    again = (await timetable.bench.request(("a",))).ref.run_id
    await timetable.end(again)
    await timetable.change(
        "UPDATE run_sources SET finished_at = now() - interval '9 days' WHERE source = 'b'"
    )
    await timetable.due()
    assert len(await timetable.poll()) == 1


async def test_a_release_is_polled_for_at_equal_intervals(timetable: Timetable) -> None:
    await timetable.add(kind="release", cron=None, every=timedelta(hours=6))
    assert await timetable.poll() == []
    await timetable.due("13 hours")
    assert len(await timetable.poll()) == 1
    (row,) = await timetable.rows(
        "SELECT t.tick, s.next_at - t.tick AS gap FROM schedule_ticks t, schedules s"
    )
    assert row["gap"] == timedelta(hours=6)


async def test_a_schedule_continues_after_a_clock_that_was_years_ahead(
    timetable: Timetable,
) -> None:
    await timetable.add()
    await timetable.change(
        "UPDATE schedules SET next_at = next_at + interval '3 years',"
        " decided_at = decided_at + interval '3 years'"
    )
    assert await timetable.poll() == []
    (row,) = await timetable.rows(
        "SELECT next_at < now() + interval '24 hours' AS ok FROM schedules"
    )
    assert row["ok"]
    assert await timetable.outcomes() == []


async def test_a_tick_is_not_done_twice_if_the_clock_is_set_back(timetable: Timetable) -> None:
    await timetable.add()
    await timetable.due()
    (ref,) = await timetable.poll()
    await timetable.end(ref.run_id)
    await timetable.change("UPDATE schedules SET next_at = tick FROM schedule_ticks")

    assert await timetable.poll() == []
    assert await timetable.outcomes() == [("ran", ref.run_id, None)]


async def test_several_workers_do_each_tick_once(timetable: Timetable) -> None:
    count = 60
    for number in range(count):
        await timetable.add(f"s{number}", sources=(f"source{number}",))
    await timetable.change("UPDATE schedules SET next_at = now() - interval '1 s'")

    found = await asyncio.gather(*(timetable.poll() for _ in range(3)))
    # a worker that finds only rows which others hold leaves them to these
    refs = [ref for refs in found for ref in refs] + await timetable.poll()
    assert len(refs) == count
    runs = Counter(row["sources"][0] for row in await timetable.rows("SELECT sources FROM runs"))
    assert runs == {f"source{number}": 1 for number in range(count)}
    assert [each[0] for each in await timetable.outcomes()] == ["ran"] * count


async def test_a_worker_that_dies_at_any_statement_leaves_the_tick_to_others(
    timetable: Timetable,
) -> None:
    await timetable.add()
    await timetable.due()
    statements = 0
    async for _ in timetable.deaths():
        statements += 1
        assert await timetable.rows("SELECT id FROM runs") == []
        assert await timetable.outcomes() == []
    assert statements > 5
    assert len(await timetable.rows("SELECT id FROM runs")) == 1
    assert [each[0] for each in await timetable.outcomes()] == ["ran"]


async def test_a_living_worker_executes_due_runs(timetable: Timetable) -> None:
    async def work(attempt: Attempt) -> None:
        del attempt

    await timetable.add()
    async with timetable.bench.worker(work, plan=plan):
        await timetable.due()
        while not (found := await timetable.outcomes()):
            await asyncio.sleep(0.02)
        ((outcome, run_id, _),) = found
        assert outcome == "ran"
        assert run_id is not None
        assert (await timetable.bench.ended(run_id)).state == "succeeded"


async def test_a_paused_schedule_does_nothing_and_continues_with_its_next_tick(
    timetable: Timetable,
) -> None:
    run_id = (await timetable.bench.request(("a",))).ref.run_id
    await timetable.add(overlap="queue")
    await timetable.due()
    await timetable.poll()
    db = timetable.bench.db
    async with db.begin() as connection:
        await operations.pause(connection, "nightly", actor=ADA)
        with pytest.raises(Conflict, match="already paused"):
            await operations.pause(connection, "nightly", actor=ADA)
    await timetable.end(run_id)
    await timetable.due("9 days")
    assert await timetable.poll() == []

    async with db.begin() as connection:
        await operations.resume(connection, "nightly", actor=ADA)
        with pytest.raises(Conflict, match="not paused"):
            await operations.resume(connection, "nightly", actor=ADA)
    assert await timetable.poll() == []
    assert await timetable.outcomes() == [("skipped", run_id, "the schedule was paused")]


async def test_a_tick_can_be_done_at_once(timetable: Timetable) -> None:
    await timetable.add()
    async with timetable.bench.db.begin() as connection:
        (ref,) = await operations.run_now(connection, "nightly", plan, actor=ADA)
    async with timetable.bench.db.begin() as connection:
        assert await operations.run_now(connection, "nightly", plan, actor=ADA) == []
    assert await timetable.outcomes() == [
        ("ran", ref.run_id, None),
        ("skipped", ref.run_id, f"run {ref.run_id} is active"),
    ]


async def test_an_unknown_schedule_is_not_found(timetable: Timetable) -> None:
    await timetable.add()
    async with timetable.bench.db.begin() as connection:
        for do in (operations.pause, operations.resume):
            with pytest.raises(NotFound, match="did you mean nightly"):
                await do(connection, "nihgtly", actor=ADA)
        with pytest.raises(NotFound, match="did you mean nightly"):
            await operations.remove(connection, "nihgtly")


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"name": "Ünsinn"}, "name of a schedule"),
        ({"kind": "sometimes"}, "unknown kind"),
        ({"cron": "0 3 * *"}, "fields"),
        ({"cron": None}, "five fields"),
        ({"every": DAY}, "no period"),
        ({"zone": "Berlin"}, "no time zone"),
        ({"kind": "release", "cron": None}, "a period"),
        ({"kind": "release", "cron": None, "every": timedelta(seconds=1)}, "1 minute"),
        ({"overlap": "both"}, "unknown overlap"),
        ({"catch_up": timedelta(seconds=-1)}, "catch-up"),
        ({"sources": ("removed",)}, "unknown source"),
        ({"by": " "}, "who adds"),
    ],
)
async def test_a_schedule_that_cannot_be_is_refused(
    timetable: Timetable, changes: dict[str, Any], problem: str
) -> None:
    with pytest.raises(WrongUse, match=problem):
        await timetable.add(**changes)
    assert await timetable.rows("SELECT id FROM schedules") == []


async def test_a_name_is_given_once(timetable: Timetable) -> None:
    await timetable.add()
    with pytest.raises(Conflict, match="already"):
        await timetable.add()


async def test_a_tick_that_another_worker_did_a_moment_ago_brings_no_later_tick_forward(
    timetable: Timetable,
) -> None:
    await timetable.add()
    await timetable.due()
    # a worker that looks for due schedules stands still between its look and its lock
    await timetable.change("ALTER VIEW due_ticks RENAME TO due_ticks_at_once")
    await timetable.change(
        "CREATE VIEW due_ticks AS SELECT d.* FROM due_ticks_at_once d"
        " CROSS JOIN (SELECT pg_advisory_xact_lock(4711) OFFSET 0) AS stands_still"
    )
    async with timetable.bench.db.begin() as connection:
        await connection.execute(text("SELECT pg_advisory_xact_lock(4711)"))
        late = asyncio.create_task(timetable.poll())
        async with limit():
            while not await timetable.rows("SELECT FROM pg_locks WHERE NOT granted"):
                await asyncio.sleep(0.01)
        await timetable.change("UPDATE schedules SET next_at = now() + interval '1 day'")

    assert await late == []
    assert await timetable.outcomes() == []
