"""Attempts that fail, wait or take too long."""

import asyncio

import pytest

from harness.timing import limit
from tests.reliability.conftest import MakeScene, Scene

BASE, CAP, MOST = 1.0, 3.0, 4


@pytest.fixture
def failing(make_scene: MakeScene) -> Scene:
    """Ensembl's responses are not JSON."""
    scene = make_scene(
        UPSTREAM_BACKOFF="0.01",
        RUN_BACKOFF_BASE=str(BASE),
        RUN_BACKOFF_CAP=str(CAP),
        RUN_MAX_FAILURES=str(MOST),
    )
    scene.sandbox.fault("ensembl.lookup", "invalid-json")
    scene.sandbox.fault("ensembl.lookup_symbol", "invalid-json")
    return scene


def check_delays(scene: Scene, run_id: int, failures: int) -> None:
    """Each delay equals the backoff with jitter, and each retry respected it."""
    delays = scene.rows(
        "SELECT extract(epoch FROM (detail ->> 'not_before')::timestamptz - at)::float8 AS delay,"
        " extract(epoch FROM (SELECT min(n.at) FROM run_events n WHERE n.run_id = e.run_id"
        "  AND n.event IN ('claimed', 'taken over') AND n.at > e.at) - e.at)::float8 AS waited"
        " FROM run_events e WHERE run_id = %(id)s AND event = 'attempt failed' ORDER BY id",
        id=run_id,
    )
    assert len(delays) == failures, scene.story(run_id)
    for before, each in enumerate(delays):
        longest = min(CAP, BASE * 2**before)
        assert longest / 2 - 0.1 <= each["delay"] <= longest, scene.story(run_id)
        assert each["delay"] - 0.1 <= each["waited"] <= each["delay"] + 5, scene.story(run_id)


@pytest.mark.timeout(180)
async def test_a_source_that_always_fails_ends_the_run_and_a_retry_keeps_the_commits(
    failing: Scene,
) -> None:
    await failing.workers(1)
    run_id = failing.annotate("hgnc", "ensembl")
    run = await failing.ended(run_id, 90)
    assert run["state"] == "failed"
    assert "ensembl" in run["error"]
    assert failing.counters(run_id) == (MOST, 0, 0)
    assert run["failures_in_a_row"] == MOST
    check_delays(failing, run_id, MOST - 1)
    asked = failing.sandbox.stats()["requests"]["hgnc.fetch"]
    failing.sandbox.clear_faults()
    assert failing.cli("retry", str(run_id)).returncode == 0
    await failing.ended(run_id)
    failing.check(run_id)
    assert failing.sandbox.stats()["requests"]["hgnc.fetch"] == asked == 400


async def test_a_source_that_fails_twice_succeeds_the_third_time(failing: Scene) -> None:
    await failing.workers(1)
    run_id = failing.annotate("ensembl")
    await failing.until(lambda r: r["attempts"] == 3)
    failing.sandbox.clear_faults()
    await failing.ended(run_id)
    failing.check(run_id)
    assert failing.counters(run_id) == (3, 0, 0)
    check_delays(failing, run_id, 2)


async def test_an_attempt_that_timed_out_continues_in_another_if_it_progressed(
    make_scene: MakeScene,
) -> None:
    scene = make_scene(MORE_TIME_LIMIT="5")
    scene.add_sources(steady={"batch": 10, "seconds": 0.2}, hanging={"does": "hang"})
    await scene.workers(1)
    steady, hanging = scene.annotate("steady"), scene.annotate("hanging")
    run = await scene.ended(steady)
    assert scene.count(steady, "timed out") == run["attempts"] - 1 >= 1, scene.story(steady)
    scene.check(steady)
    asked = [line for line in scene.journal.lines() if line["source"] == "steady"]
    assert len(asked) <= 40 + run["attempts"] - 1
    run = await scene.ended(hanging)
    assert (run["state"], run["attempts"]) == ("failed", 1)
    assert run["error"] == "timed out after 5 s without progress"


async def test_an_upstream_that_is_down_is_waited_for(make_scene: MakeScene) -> None:
    scene = make_scene(UPSTREAM_BACKOFF="0.01")
    scene.sandbox.fault("ensembl", "503")
    (worker,) = (await scene.workers(1)).values()
    run_id = scene.annotate("hgnc", "ensembl")
    down, epoch = 0.0, 1
    while down < 600:
        run = await scene.until(lambda r, seen=epoch: r["state"] == "queued" and r["epoch"] > seen)
        assert run["waiting_for"] == "ensembl"
        epoch = run["epoch"]
        # the clock is moved instead of being waited for
        (row,) = scene.rows(
            "UPDATE runs SET not_before = now() WHERE id = %(id)s RETURNING"
            " (SELECT extract(epoch FROM o.not_before - now())::float8 FROM runs o"
            "  WHERE o.id = runs.id) AS seconds",
            id=run_id,
        )
        down += row["seconds"]
    status = scene.cli("show", str(run_id))
    assert "ensembl" in status.stdout
    scene.sandbox.clear_faults()
    async with limit():
        while scene.rows("SELECT 1 FROM runs WHERE state <> 'succeeded'"):
            scene.rows("UPDATE runs SET not_before = now() WHERE not_before > now()")
            await asyncio.sleep(0.2)
    scene.check(run_id)
    assert scene.counters(run_id) == (1, 0, 0)
    waits = [e for e in scene.events(run_id) if e["detail"].get("waiting_for") == "ensembl"]
    assert len(waits) == scene.count(run_id, "claimed") - 1
    assert worker.poll() is None
