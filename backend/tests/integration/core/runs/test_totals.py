"""What is counted of runs: how long what happened to them took, also when they are removed."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from psycopg.types.json import Jsonb
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.runs import totals
from app.core.runs.attempt import Attempt
from app.core.runs.buckets import EVENTS, Histogram
from app.core.runs.totals import NO_EVENTS, EventTotals
from tests.integration.conftest import Bench, Query

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)

Story = Callable[..., None]


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


@pytest.fixture
def story(query: Query) -> Story:
    """Add events to a run, each at a number of seconds after noon and in an epoch."""

    def happen(run: int, *events: tuple[float, int, str, dict[str, Any]]) -> None:
        query(
            "INSERT INTO runs (id, task, mode, state) OVERRIDING SYSTEM VALUE"
            " VALUES (%s, 't', 'smart', 'failed') ON CONFLICT DO NOTHING",
            run,
        )
        for seconds, epoch, event, detail in events:
            query(
                "INSERT INTO run_events (run_id, at, epoch, event, detail)"
                " VALUES (%s, %s, %s, %s, %s)",
                run, after(seconds), epoch, event, Jsonb(detail),
            )  # fmt: skip

    return happen


async def counted(bench: Bench) -> EventTotals:
    async with bench.db.connect() as connection:
        return await totals.event_totals(connection)


async def durations(bench: Bench, event: str) -> tuple[dict[float, int], float]:
    """Return the number of durations by the bound of the bucket, without zeros, and the sum."""
    found = (await counted(bench)).durations[event]
    bounds = [*EVENTS, float("inf")]
    return {
        bound: number for bound, number in zip(bounds, found.counts, strict=True) if number
    }, found.seconds


async def test_nothing_is_counted_before_anything_has_happened(bench: Bench) -> None:
    assert await counted(bench) == NO_EVENTS


async def test_the_time_in_the_queue_is_that_from_ready_to_claimed(bench, story) -> None:
    story(1, (0, 1, "created", {}), (0.3, 1, "claimed", {}))
    # exactly a bound, which its bucket includes
    story(2, (0, 1, "created", {}), (2, 1, "claimed", {}))
    story(3, (0, 1, "created", {}), (2.000001, 1, "claimed", {}))
    story(4, (0, 1, "created", {}), (30_000, 1, "claimed", {}))
    found, seconds = await durations(bench, "claimed")
    assert found == {0.5: 1, 2: 1, 5: 1, float("inf"): 1}
    assert seconds == 0.3 + 2 + 2.000001 + 30_000


async def test_a_run_that_waits_until_a_time_is_not_in_the_queue_before(bench, story) -> None:
    until = {"not_before": after(100).isoformat()}
    story(
        1,
        (0, 1, "created", {}),
        (0, 1, "claimed", {}),
        (40, 1, "waiting", {"waiting_for": "ncbi", **until}),
        (103, 2, "claimed", {}),
        (104, 2, "attempt failed", {"worker": 1, "not_before": after(200).isoformat()}),
        # this worker's claim found that PostgreSQL's clock had been set back
        (150, 3, "claimed", {}),
    )
    assert await durations(bench, "claimed") == ({0.1: 2, 5: 1}, 3)


async def test_recovery_time_lasts_from_lost_to_taken_over_without_the_queue(bench, story) -> None:
    story(
        1,
        (0, 1, "created", {}),
        (0, 1, "claimed", {}),
        (50, 1, "lost", {"worker": 1}),
        (50.75, 2, "taken over", {"worker": 2}),
        (60.75, 2, "succeeded", {"worker": 2}),
    )
    assert await durations(bench, "taken over") == ({1: 1}, 0.75)
    assert await durations(bench, "claimed") == ({0.1: 1}, 0)
    assert await durations(bench, "lost") == ({60: 1}, 50)
    assert await durations(bench, "succeeded") == ({10: 1}, 10)


async def test_each_attempt_counts_once_by_how_it_ended(bench, story) -> None:
    story(
        1,
        (0, 1, "created", {}),
        (1, 1, "claimed", {}),
        (2, 1, "held", {"source": "hgnc"}),
        (4, 1, "interrupted", {}),
        (5, 2, "claimed", {}),
        (5, 1, "fenced", {}),
        (405, 2, "timed out", {"timeout": 400}),
        (406, 3, "claimed", {}),
        # it was the last loss that is allowed: the run failed at once, and no attempt did
        (407, 3, "lost", {"worker": 1}),
        (407, 3, "failed", {"reason": "worker lost 3 times"}),
        (500, 4, "reopened", {}),
        # it is cancelled in the queue, and later while it runs
        (501, 4, "cancelled", {}),
        (600, 5, "reopened", {}),
        (601, 5, "claimed", {}),
        (603, 5, "cancelled", {"worker": 1}),
    )
    found = await counted(bench)
    took = {
        event: (sum(each.counts), each.seconds)
        for event, each in found.durations.items()
        if any(each.counts)
    }
    assert took == {
        "claimed": (4, 1 + 1 + 1 + 1),
        "interrupted": (1, 3),
        "timed out": (1, 400),
        "lost": (1, 1),
        "cancelled": (1, 2),
    }
    assert {event: number for event, number in found.counts.items() if number} == {
        "created": 1,
        "claimed": 4,
        "held": 1,
        "fenced": 1,
        "interrupted": 1,
        "timed out": 1,
        "lost": 1,
        "failed": 1,
        "reopened": 2,
        "cancelled": 2,
    }


async def test_the_end_of_time_is_no_duration(bench, story, query) -> None:
    story(1, (0, 1, "created", {}))
    query("UPDATE run_events SET at = 'infinity'")
    story(1, (5, 1, "claimed", {}))
    story(2, (0, 1, "created", {}), (0, 1, "claimed", {}))
    query("UPDATE run_events SET at = '-infinity' WHERE event = 'claimed'")
    story(2, (5, 1, "failed", {"worker": 1}))
    assert await durations(bench, "claimed") == ({0.1: 1}, 0)
    assert await durations(bench, "failed") == ({}, 0)


async def test_recorded_attempts_have_durations(bench: Bench, query: Query) -> None:
    async def nothing(attempt: Attempt) -> None:
        """Work that does nothing."""

    created = await bench.request()
    query("UPDATE run_events SET at = at - interval '3 min'")
    async with bench.worker(nothing):
        await bench.ended(created.ref.run_id)
    found = await counted(bench)
    assert sum(found.durations["claimed"].counts) == 1
    assert found.durations["claimed"].seconds >= 180
    assert sum(found.durations["succeeded"].counts) == 1


async def test_the_removal_of_runs_changes_no_total(bench, story, query) -> None:
    for run in range(1, 31):
        # a sum of such fractions depends on their order
        story(
            run,
            (0, 1, "created", {}),
            (0.1 * run, 1, "claimed", {}),
            (0.1 * run + 0.7 * run, 1, "lost", {}),
            (1.3 * run, 2, "taken over", {}),
            (2.9 * run, 2, "failed", {"worker": 1}),
        )
    before = await counted(bench)
    assert sum(before.durations["lost"].counts) == 30
    for first in (1, 8, 23):
        async with bench.db.begin() as connection:
            removed = await totals.remove(connection, range(first, first + 7))
            assert removed == list(range(first, first + 7))
        assert await counted(bench) == before
    left = query("SELECT count(*) AS runs FROM runs")[0]
    assert left == {"runs": 9}
    assert query("SELECT count(*) AS events FROM run_events")[0] == {"events": 45}


async def test_only_a_run_that_has_ended_and_is_not_locked_is_removed(
    bench: Bench, query: Query
) -> None:
    for source in "abcde":
        await bench.request([source])
    for run, state in enumerate(["queued", "running", "succeeded", "failed", "cancelled"], 1):
        query("UPDATE runs SET state = %s WHERE id = %s", state, run)
    async with bench.db.begin() as other, bench.db.begin() as connection:
        await _record(other, run=4)
        assert await totals.remove(connection, [1, 2, 3, 4, 5, 6]) == [3, 5]
    assert [row["id"] for row in query("SELECT id FROM runs ORDER BY id")] == [1, 2, 4]
    assert (await counted(bench)).counts["created"] == 5
    assert (await counted(bench)).counts["held"] == 1


async def _record(connection: AsyncConnection, run: int) -> None:
    await connection.exec_driver_sql(
        "INSERT INTO run_events (run_id, epoch, event) VALUES (%(run)s, 1, 'held')", {"run": run}
    )


def test_a_bucket_includes_its_bound_and_the_last_one_has_none() -> None:
    found = Histogram((1, 5))
    for seconds in (0, 1, 1.5, 5, 5.5, 100):
        found.observe(seconds)
    assert (found.counts, found.seconds) == ([2, 2, 2], 113)
