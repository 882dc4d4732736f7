"""Workers on several hosts, against one Redis and one PostgreSQL."""

import asyncio
import time

import pytest

from tests.reliability.conftest import BATCH, MakeScene
from tests.reliability.hosts import network

RATE = 20


@pytest.mark.timeout(240)
async def test_three_hosts_share_the_work_and_the_upstream_limit_and_one_may_be_cut_off(
    make_scene: MakeScene,
) -> None:
    with network(3) as net:
        scene = make_scene(rates={"hgnc": RATE}, HGNC_RATE=str(RATE))
        inside = scene.env["DATABASE_URL"]
        there = {
            name: net.open(scene.env[name])
            for name in ("DATABASE_URL", "REDIS_URL", *scene.sandbox.settings)
            if "://" in scene.env[name]
        }
        # all of them ask one upstream at once
        for host in net.hosts:
            scene.place = net.on(host)
            scene.start("tests.reliability.asks", str(3 * RATE), **there)
        for asker in scene.processes:
            assert await asyncio.to_thread(asker.wait, 90) == 0, scene.log(asker)
        stats = scene.sandbox.stats()
        assert stats["requests"]["hgnc.fetch"] == 3 * 3 * RATE
        assert stats["refused"].get("hgnc.fetch", 0) == 0

        by_pid = {}
        for host in net.hosts:
            scene.place = net.on(host)
            worker = scene.worker(ARQ_MAX_JOBS="1", **there)
            by_pid[worker.pid] = host, worker
        for _, worker in by_pid.values():
            await scene.says(worker, "is alive")
        scene.place = ()
        assert scene.env["DATABASE_URL"] == inside
        runs = [scene.annotate(source) for source in ("hgnc", "ensembl", "clinvar")]
        running = await scene.half_way(runs[0], BATCH)
        host, worker = by_pid[running["pid"]]
        cut = time.time()
        net.cut_off(host)
        assert await scene.started_after(runs[0], cut) <= 40
        for run_id in runs:
            run = await scene.ended(run_id)
            assert run_id != runs[0] or run["pid"] != running["pid"]
        net.plug_in(host)
        await scene.says(worker, "fenced: ", 60)
        scene.check(*runs)
        assert scene.counters(runs[0]) == (1, 0, 1)
        assert scene.sandbox.stats()["refused"].get("hgnc.fetch", 0) == 0
        # it is of use again
        worker.terminate()
        assert await asyncio.to_thread(worker.wait, 15) == 0
        scene.end()
