"""Workers that live and do not act: frozen, cut off, blocked."""

import asyncio
import os
import signal
import time
from typing import Any

import pytest

from app.core.redis.health_line import HEALTH_CHECK_KEY
from harness.timing import limit, scaled
from tests.plant import Process
from tests.reliability.conftest import BATCH, MakeScene, Scene
from tests.reliability.proxy import SilentProxy


async def gives_up(scene: Scene, worker: Process, run_id: int) -> None:
    """The worker that resumes finds that its epoch is outdated, logs that, and continues."""
    async with limit():
        while not scene.count(run_id, "fenced"):
            await asyncio.sleep(0.1)
    (fenced,) = [each for each in scene.events(run_id) if each["event"] == "fenced"]
    assert fenced["epoch"] == 1
    assert any(text.startswith("fenced: ") for text in scene.said(worker, f"{run_id}:1"))
    assert worker.poll() is None


@pytest.mark.timeout(180)
async def test_the_run_of_a_frozen_worker_continues_elsewhere_and_its_own_commit_is_refused(
    make_scene: MakeScene,
) -> None:
    scene = make_scene(genes=600, rates={"hgnc": 30.0})
    workers = await scene.workers(2)
    run_id = scene.annotate("hgnc")
    running = await scene.half_way(run_id, BATCH)
    frozen = time.time()
    os.kill(running["pid"], signal.SIGSTOP)
    assert await scene.started_after(run_id, frozen) <= scaled(35)
    os.kill(running["pid"], signal.SIGCONT)
    await gives_up(scene, workers[running["pid"]], run_id)
    await scene.ended(run_id)
    scene.check(run_id)
    assert scene.counters(run_id) == (1, 0, 1)
    assert scene.repeats() <= 2 * BATCH


@pytest.mark.timeout(180)
async def test_a_worker_frozen_inside_a_commit_holds_nothing_up(scene: Scene) -> None:
    workers = await scene.workers(2)
    run_id = scene.annotate("hgnc")
    async with scene.stuck_in_a_commit(run_id) as pid:
        frozen = time.time()
        os.kill(pid, signal.SIGSTOP)
    assert await scene.started_after(run_id, frozen) <= 35
    # as long as a frozen one may be before it thaws
    await scene.ended(run_id)
    await asyncio.sleep(max(0.0, frozen + 60 - time.time()))
    os.kill(pid, signal.SIGCONT)
    await gives_up(scene, workers[pid], run_id)
    scene.check(run_id)
    assert scene.counters(run_id) == (1, 0, 1)
    assert scene.repeats() <= BATCH


@pytest.mark.timeout(180)
async def test_a_worker_that_lost_postgresql_is_replaced_and_fenced(
    make_scene: MakeScene,
) -> None:
    scene = make_scene(genes=600, rates={"hgnc": 30.0})
    with SilentProxy(scene.env["DATABASE_URL"]) as network:
        far = scene.worker(DATABASE_URL=network.dsn.get_secret_value())
        await scene.says(far, "is alive")
        run_id = scene.annotate("hgnc")
        await scene.half_way(run_id, BATCH)
        await scene.workers(1)
        silent = time.time()
        network.fall_silent()
        try:
            assert await scene.started_after(run_id, silent) <= 40
        finally:
            network.speak()
        await gives_up(scene, far, run_id)
        run = await scene.ended(run_id)
        scene.check(run_id)
        assert run["pid"] != far.pid
        assert scene.counters(run_id) == (1, 0, 1)
        assert scene.repeats() <= 2 * BATCH
        # it is of use again
        far.terminate()
        assert await asyncio.to_thread(far.wait, 10) == 0
        scene.end()


@pytest.mark.timeout(180)
async def test_a_blocked_event_loop_shows_as_dead_and_no_other_worker_does(
    make_scene: MakeScene,
) -> None:
    scene = make_scene()
    scene.add_sources(blocking={"does": "block", "seconds": 45.0, "times": 1})
    workers = await scene.workers(1)
    run_id = scene.annotate("blocking")
    async with limit():
        while not scene.journal.lines():
            await asyncio.sleep(0.05)
    (line,) = scene.journal.lines()
    sick, blocked = line["pid"], line["at"]
    leaving, staying = (await scene.workers(2)).values()
    _, address = await scene.api()
    leaving.terminate()
    assert await asyncio.to_thread(leaving.wait, 10) == 0
    redis = scene.redis()
    async with scene.client(address) as client:

        async def seen() -> dict[int, bool]:
            answer = await client.get("/api/admin/worker-status")
            status: dict[str, Any] = answer.json()
            assert status["arq_health"] is not None
            return {worker["pid"]: worker["alive"] for worker in status["workers"]}

        assert await seen() == {sick: True, staying.pid: True}
        async with limit():
            while (await seen())[sick]:
                assert await redis.ttl(HEALTH_CHECK_KEY) > 0
                await asyncio.sleep(0.2)
        assert time.time() - blocked <= 31
        assert await seen() == {sick: False, staying.pid: True}
    await redis.aclose(close_connection_pool=True)
    assert await scene.started_after(run_id, blocked) <= 35
    await scene.until(lambda r: r["pid"] == staying.pid, run_id=run_id)
    await gives_up(scene, workers[sick], run_id)
    assert scene.counters(run_id) == (1, 0, 1)
