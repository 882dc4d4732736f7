"""Workers that are told to stop."""

import asyncio
import signal
import time

import pytest

from harness.timing import limit
from tests.reliability.conftest import BATCH, MakeScene, Scene, gone, parsing_child


@pytest.mark.timeout(180)
async def test_ten_deploys_cost_a_run_no_attempt(make_scene: MakeScene) -> None:
    scene = make_scene(genes=1_000, HGNC_RATE="25")
    workers = await scene.workers(2)
    run_id = scene.annotate("hgnc")
    for deploy in range(1, 11):
        running = await scene.half_way(run_id, 0)
        # by its own stop or by the next of a rolling deploy: the last one works faster
        replacement = scene.worker(**({"HGNC_RATE": "500"} if deploy >= 9 else {}))
        workers[replacement.pid] = replacement
        workers[running["pid"]].terminate()
        status, _ = await gone(workers[running["pid"]], 10)
        assert status == 0
        await scene.until(lambda r: r["state"] == "running", run_id=run_id)
    await scene.ended(run_id)
    scene.check(run_id)
    assert scene.counters(run_id) == (1, 10, 0)
    assert scene.repeats() <= 10 * BATCH


async def test_a_batch_in_flight_is_finished_or_dropped_whole(scene: Scene) -> None:
    (worker,) = (await scene.workers(1)).values()
    run_id = scene.annotate("hgnc")
    await scene.half_way(run_id, BATCH)
    scene.sandbox.fault("hgnc.fetch", "slow", seconds=5, times=1)
    async with limit():
        while not scene.sandbox.faults()[0]["fired"]:
            await asyncio.sleep(0.02)
    worker.terminate()
    status, seconds = await gone(worker, 15)
    assert (status, seconds <= 10) == (0, True)
    assert scene.rows("SELECT state FROM runs") == [{"state": "queued"}]
    await scene.workers(1)
    await scene.ended(run_id)
    scene.check(run_id)
    assert scene.counters(run_id) == (1, 1, 0)
    assert scene.rows("SELECT DISTINCT count(*) FROM written GROUP BY xid") == [{"count": BATCH}]
    assert scene.repeats() <= BATCH


async def test_work_that_will_not_stop_holds_a_worker_up_for_10_seconds_at_most(
    make_scene: MakeScene,
) -> None:
    scene = make_scene()
    scene.add_sources(stubborn={"does": "stubborn", "times": 2})
    (first,) = (await scene.workers(1)).values()
    run_id = scene.annotate("stubborn")
    await asked(scene, 1)
    first.terminate()
    status, seconds = await gone(first, 15)
    assert (status, seconds <= 10) == (0, True)
    (second,) = (await scene.workers(1)).values()
    await asked(scene, 2)
    second.terminate()
    await scene.says(second, "stopping")
    async with limit():
        while second.poll() is None:  # what comes within a second is an echo of the first one
            second.terminate()
            await asyncio.sleep(0.2)
    assert second.returncode == 128 + signal.SIGTERM
    await scene.workers(1)
    await scene.ended(run_id)
    scene.check(run_id)
    assert scene.counters(run_id) == (1, 1, 1)


async def test_a_worker_that_is_parsing_stops_within_10_seconds_with_the_process_that_parses(
    make_scene: MakeScene,
) -> None:
    scene = make_scene(variants=200, CLINVAR_BULK_THRESHOLD="0")
    (worker,) = (await scene.workers(1)).values()
    run_id = scene.annotate("clinvar")
    child = await parsing_child(worker.pid)
    other = scene.worker()
    await scene.says(other, "is alive")
    told = time.time()
    worker.terminate()
    status, seconds = await gone(worker, 15)
    assert (status, seconds <= 10) == (0, True)
    assert not child.is_running()
    assert await scene.started_after(run_id, told) <= 10
    run = await scene.ended(run_id)
    assert run["pid"] == other.pid
    scene.check(run_id)
    assert scene.counters(run_id) == (1, 1, 0)


async def asked(scene: Scene, times: int) -> None:
    async with limit():
        while len(scene.journal.lines()) < times:
            await asyncio.sleep(0.02)
