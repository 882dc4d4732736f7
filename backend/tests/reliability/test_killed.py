"""Workers that die without a word."""

import asyncio
import time

import psycopg
import pytest
from arq.constants import in_progress_key_prefix

from harness.timing import limit, scaled
from tests.reliability.conftest import BATCH, TAKEN_UP, MakeScene, Scene, parsing_child


@pytest.mark.essential
async def test_the_run_of_a_killed_worker_continues_elsewhere_within_3_seconds(
    scene: Scene,
) -> None:
    workers = await scene.workers(2)
    run_id = scene.annotate("hgnc")
    running = await scene.half_way(run_id, BATCH)
    killed = time.time()
    workers[running["pid"]].kill()
    assert await scene.started_after(run_id, killed) <= scaled(3)
    await scene.ended(run_id)
    scene.check(run_id)
    assert scene.counters(run_id) == (1, 0, 1)
    assert scene.repeats() <= BATCH


async def test_all_batches_in_flight_are_lost_and_no_other(make_scene: MakeScene) -> None:
    # some 27 batches of 15 genes, three in flight
    scene = make_scene(variants=350, rates={"ncbi": 60.0})
    workers = await scene.workers(2)
    run_id = scene.annotate("clinvar")
    running = await scene.half_way(run_id, 60)
    killed = time.time()
    workers[running["pid"]].kill()
    assert await scene.started_after(run_id, killed) <= 3
    await scene.ended(run_id)
    scene.check(run_id)
    assert scene.counters(run_id) == (1, 0, 1)
    assert scene.repeats("clinvar.esearch") <= 3 * 20


async def test_a_worker_killed_between_pick_up_and_claim_delays_its_run_by_15_seconds_at_most(
    scene: Scene,
) -> None:
    run_id = scene.annotate("hgnc")
    redis = scene.redis()
    with psycopg.connect(scene.env["DATABASE_URL"]) as held:
        # a wake-up was sent a moment ago: recovery has no reason to send one soon
        held.execute("UPDATE runs SET wake_up_sent_at = now()")
        first = scene.worker()
        async with limit():
            while not await redis.exists(f"{in_progress_key_prefix}{run_id}:1"):
                await asyncio.sleep(0.01)
        await scene.workers(1)
        killed = time.time()
        first.kill()
    assert scene.count(run_id, "claimed") == 0
    assert await scene.started_after(run_id, killed) <= 15
    await scene.ended(run_id)
    scene.check(run_id)
    assert scene.counters(run_id)[0] == 1
    await redis.aclose(close_connection_pool=True)


async def test_a_worker_killed_inside_a_commit_leaves_nothing_half_written(scene: Scene) -> None:
    workers = await scene.workers(2)
    run_id = scene.annotate("hgnc")
    async with scene.stuck_in_a_commit(run_id) as pid:
        killed = time.time()
        workers[pid].kill()
    assert await scene.started_after(run_id, killed) <= 15
    await scene.ended(run_id)
    scene.check(run_id)
    assert scene.counters(run_id) == (1, 0, 1)
    whole = scene.rows("SELECT DISTINCT count(*) FROM written GROUP BY xid")
    assert whole == [{"count": BATCH}]
    assert scene.repeats() <= BATCH


async def test_a_run_without_a_worker_continues_within_3_seconds_of_a_new_one(scene: Scene) -> None:
    (only,) = (await scene.workers(1)).values()
    run_id = scene.annotate("hgnc")
    await scene.half_way(run_id, BATCH)
    only.kill()
    await asyncio.sleep(5)
    await scene.workers(1)
    row = scene.rows("SELECT extract(epoch FROM max(started_at))::float8 AS up FROM workers")[0]
    assert await scene.started_after(run_id, row["up"]) <= 3
    await scene.ended(run_id)
    scene.check(run_id)
    assert scene.counters(run_id) == (1, 0, 1)
    assert scene.repeats() <= BATCH


@pytest.mark.timeout(180)
async def test_a_run_that_kills_its_worker_is_left_alone_with_it_and_then_given_up(
    make_scene: MakeScene,
) -> None:
    scene = make_scene(rates={"hgnc": 30.0, "ensembl": 400.0})
    scene.add_sources(deadly={"does": "kill"}, steady={"batch": 10, "seconds": 0.4})
    await scene.workers(2)
    others = [scene.annotate("hgnc"), scene.annotate("steady")]
    for other in others:
        await scene.half_way(other)
    deadly = scene.annotate("deadly")
    async with limit(150):
        while (
            scene.rows("SELECT state FROM runs WHERE id = %(id)s", id=deadly)[0]["state"]
            != "failed"
        ):
            # whoever looks after the workers starts those that die again
            dead = [p for p in scene.processes if p.poll() is not None]
            for _ in range(2 - (len(scene.processes) - len(dead))):
                scene.worker()
            await asyncio.sleep(0.2)
    assert scene.rows("SELECT error FROM runs WHERE id = %(id)s", id=deadly) == [
        {"error": "worker lost 3 times"}
    ]
    # what it lost in company, or with a worker that had just started, is not its fault
    attempts, interruptions, losses = scene.counters(deadly)
    assert (attempts, interruptions, 3 <= losses <= 5) == (1, 0, True)
    third = [e for e in scene.events(deadly) if e["event"] in TAKEN_UP][-1]["detail"]["worker"]
    hit = scene.rows(
        "SELECT run_id FROM run_events WHERE event = 'lost' AND run_id <> %(deadly)s"
        " AND detail ->> 'worker' = %(third)s::text",
        deadly=deadly,
        third=third,
    )
    assert hit == []
    if all(p.poll() is not None for p in scene.processes):
        scene.worker()
    for other in others:
        await scene.ended(other)
    scene.check(*others)
    assert [scene.counters(other)[0] for other in others] == [1, 1]


async def test_the_child_that_parses_does_not_outlive_a_killed_worker(
    make_scene: MakeScene,
) -> None:
    scene = make_scene(variants=200, CLINVAR_BULK_THRESHOLD="0")
    (worker,) = (await scene.workers(1)).values()
    run_id = scene.annotate("clinvar")
    child = await parsing_child(worker.pid)
    worker.kill()
    await asyncio.to_thread(child.wait, 5)
    await scene.workers(1)
    await scene.ended(run_id)
    scene.check(run_id)
    assert scene.counters(run_id) == (1, 0, 1)


async def test_busy_workers_leave_an_exclusive_run_to_idle_ones(make_scene: MakeScene) -> None:
    scene = make_scene(genes=1_000, rates={"hgnc": 10.0})
    busy = await scene.workers(1)
    running = scene.annotate("hgnc")
    await scene.half_way(running)
    idle = await scene.workers(1)
    for _ in range(5):
        # as after two losses: from the queue on it runs alone
        scene.rows("ALTER TABLE runs ALTER losses_in_a_row SET DEFAULT 2")
        suspect = scene.annotate("ensembl", "--mode", "full")
        queued = scene.events(suspect)[0]["at"]
        assert await scene.started_after(suspect, queued) <= 5
        run = await scene.ended(suspect)
        assert run["pid"] in idle
    assert (await scene.until(lambda _: True, run_id=running))["pid"] in busy
