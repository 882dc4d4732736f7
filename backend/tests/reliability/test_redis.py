"""Redis away, wiped, replaced."""

import asyncio
import shutil
import time

import pytest

from services.redis import Redis
from tests.plant import Process
from tests.reliability.conftest import BATCH, MakeScene, Scene

QUICK = {f"quick{number:02d}": {"seconds": 0.05} for number in range(20)}


@pytest.mark.timeout(180)
async def test_a_worker_outlives_30_seconds_without_redis(
    scene: Scene, redis_server: Redis
) -> None:
    scene.sandbox.set_limits(hgnc=20.0)
    scene.env["HGNC_RATE"] = "20"
    (worker,) = (await scene.workers(1)).values()
    run_id = scene.annotate("hgnc")
    await scene.half_way(run_id, BATCH)
    redis_server.kill()
    try:
        await asyncio.sleep(15)
        meanwhile = scene.annotate("ensembl")
        await asyncio.sleep(15)
    finally:
        redis_server.start()
    back = time.time()
    assert await scene.started_after(meanwhile, back) <= 10
    run = await scene.ended(run_id)
    await scene.ended(meanwhile)
    scene.check(run_id, meanwhile)
    assert run["pid"] == worker.pid
    assert worker.poll() is None
    assert scene.counters(run_id) == (1, 0, 0)
    assert scene.sandbox.stats()["refused"] == {}
    assert scene.repeats() <= BATCH


async def one_running_and_20_queued(make_scene: MakeScene) -> tuple[Scene, Process, list[int]]:
    scene = make_scene(rates={"hgnc": 30.0})
    scene.add_sources(**QUICK)
    (worker,) = (await scene.workers(1, ARQ_MAX_JOBS="1")).values()
    _, address = await scene.api()
    async with scene.client(address) as client:
        ids = []
        for name in ("hgnc", *QUICK):
            answer = await client.post("/api/admin/runs", json={"sources": [name]})
            assert answer.status_code == 202
            ids.append(answer.json()["id"])
            if name == "hgnc":
                await scene.half_way(ids[0])
    return scene, worker, ids


async def all_end(scene: Scene, ids: list[int]) -> None:
    await scene.workers(1, ARQ_MAX_JOBS="10")
    for run_id in ids:
        await scene.ended(run_id)
    scene.check(*ids)
    assert {scene.counters(run_id) for run_id in ids} == {(1, 0, 0)}
    assert [scene.count(run_id, "claimed") for run_id in ids[1:]] == [1] * 20
    asked = [line["source"] for line in scene.journal.lines()]
    assert sorted(asked) == sorted(QUICK)


async def test_a_wiped_redis_loses_none_of_20_queued_runs_and_doubles_nothing(
    make_scene: MakeScene,
) -> None:
    scene, worker, ids = await one_running_and_20_queued(make_scene)
    redis = scene.redis()
    await redis.flushall()
    await redis.aclose(close_connection_pool=True)
    await all_end(scene, ids)
    assert worker.poll() is None
    assert scene.count(ids[0], "claimed") == 1
    assert scene.repeats() == 0


async def test_a_new_empty_redis_replaces_a_lost_one(
    make_scene: MakeScene, redis_server: Redis
) -> None:
    scene, worker, ids = await one_running_and_20_queued(make_scene)
    redis_server.kill()
    for path in redis_server.folder.iterdir():
        if path.name not in {"password", "redis.conf", "server.log"}:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    await asyncio.sleep(3)
    redis_server.start()
    await all_end(scene, ids)
    assert worker.poll() is None
    assert scene.repeats() <= BATCH
