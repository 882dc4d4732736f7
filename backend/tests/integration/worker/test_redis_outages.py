import asyncio
import os
import signal
import subprocess
from pathlib import Path

import pytest
from arq.connections import ArqRedis

from harness.timing import WAIT, scaled
from services.redis import Redis
from tests.plant import QUEUE, Plant

pytestmark = [pytest.mark.reliability, pytest.mark.timeout(180)]


@pytest.fixture
async def working(genes: Plant) -> tuple[Plant, subprocess.Popen[bytes]]:
    """A worker that is executing a run of ClinVar."""
    worker = genes.worker()
    assert genes.cli("annotate", "clinvar").returncode == 0
    await genes.until(lambda r: r["state"] == "running" and r["done"] > 0)
    return genes, worker


async def finish_both(plant: Plant, worker: subprocess.Popen[bytes]) -> None:
    """The same worker finishes the run, executes another, and stops cleanly."""
    assert (await plant.ended(seconds=100))["state"] == "succeeded"
    assert plant.cli("annotate", "ensembl").returncode == 0
    second = await plant.ended()
    assert (second["state"], second["sources"]) == ("succeeded", ["ensembl"])
    assert second["pid"] == worker.pid
    worker.terminate()
    assert await asyncio.to_thread(worker.wait, scaled(WAIT)) == 0


async def test_a_worker_survives_a_crash_of_redis(
    working: tuple[Plant, subprocess.Popen[bytes]], redis_server: Redis
) -> None:
    plant, worker = working
    redis_server.kill()
    await plant.says(worker, "Redis is unavailable")
    redis_server.start()
    await finish_both(plant, worker)


async def test_a_worker_survives_a_redis_that_does_not_answer(
    working: tuple[Plant, subprocess.Popen[bytes]], redis_server: Redis
) -> None:
    plant, worker = working
    assert redis_server.pid is not None
    os.kill(redis_server.pid, signal.SIGSTOP)
    try:
        await plant.says(worker, "Redis is unavailable")
    finally:
        os.kill(redis_server.pid, signal.SIGCONT)
    await finish_both(plant, worker)


async def test_a_worker_survives_a_redis_that_refuses_writes(
    working: tuple[Plant, subprocess.Popen[bytes]], arq_redis: ArqRedis
) -> None:
    plant, worker = working
    await arq_redis.config_set("maxmemory", 1)
    try:
        await plant.says(worker, "Redis is unavailable")
    finally:
        await arq_redis.config_set("maxmemory", 0)
    await finish_both(plant, worker)


async def test_a_worker_survives_the_loss_of_its_privileges_in_redis(
    genes: Plant, arq_redis: ArqRedis
) -> None:
    server = genes.env["REDIS_URL"].rpartition("@")[2].removeprefix("redis://")
    await arq_redis.execute_command("ACL", "SETUSER", "ours", "on", ">pw", "~*", "+@all")
    try:
        worker = genes.worker(REDIS_URL=f"redis://ours:pw@{server}")
        assert genes.cli("annotate", "clinvar").returncode == 0
        await genes.until(lambda r: r["state"] == "running" and r["done"] > 0)
        await arq_redis.execute_command("ACL", "SETUSER", "ours", "-@all")
        await genes.says(worker, "no permissions")
        await arq_redis.execute_command("ACL", "SETUSER", "ours", "+@all")
        await finish_both(genes, worker)
    finally:
        await arq_redis.execute_command("ACL", "DELUSER", "ours")


@pytest.fixture
def broken_arq(genes: Plant, tmp_path: Path) -> Plant:
    """Workers whose arq fails with an unexpected error when a file appears."""
    (tmp_path / "broken.py").write_text(
        "import runpy, sys\nfrom arq.worker import Worker\n"
        "whole = Worker._poll_iteration\n"
        "async def poll(self):\n"
        "    await whole(self)\n"
        f"    if __import__('pathlib').Path({str(tmp_path / 'now')!r}).exists():\n"
        "        raise RuntimeError('out of cheese')\n"
        "Worker._poll_iteration = poll\n"
        "sys.argv = sys.argv[1:]\n"
        "runpy.run_module(sys.argv[0], run_name='__main__', alter_sys=True)\n"
    )
    genes.env["PYTHONPATH"] = str(tmp_path)
    genes.through = ("broken",)
    return genes


async def test_when_arqs_loop_fails_the_worker_stops_and_interrupts_its_run(
    broken_arq: Plant, tmp_path: Path
) -> None:
    worker = broken_arq.worker(NCBI_RATE="2")
    broken_arq.through = ()
    assert broken_arq.cli("annotate", "clinvar").returncode == 0
    await broken_arq.until(lambda r: r["state"] == "running" and r["done"] > 0)
    (tmp_path / "now").touch()
    assert await asyncio.to_thread(worker.wait, scaled(WAIT)) == 1
    assert "out of cheese" in broken_arq.log(worker)
    run = await broken_arq.until(lambda _: True)
    assert (run["state"], run["interruptions"], run["losses"]) == ("queued", 1, 0)


async def test_a_key_of_another_type_in_the_place_of_the_queue_is_renamed(
    working: tuple[Plant, subprocess.Popen[bytes]], arq_redis: ArqRedis
) -> None:
    plant, worker = working
    await arq_redis.set(QUEUE, "not a queue")
    await plant.says(worker, "does not hold a queue")
    assert await arq_redis.get(f"{QUEUE}:put-aside") == b"not a queue"
    await finish_both(plant, worker)


@pytest.mark.essential
async def test_a_wiped_redis_loses_no_queued_run(genes: Plant, arq_redis: ArqRedis) -> None:
    assert genes.cli("annotate", "ensembl").returncode == 0
    await arq_redis.flushall()
    genes.worker()
    assert (await genes.ended())["state"] == "succeeded"


async def test_a_worker_that_is_stopped_while_redis_is_unavailable_interrupts_its_runs(
    working: tuple[Plant, subprocess.Popen[bytes]], redis_server: Redis
) -> None:
    plant, worker = working
    assert plant.cli("annotate", "ensembl", "--mode", "full").returncode == 0
    await plant.says(worker, "ensembl: ")
    redis_server.kill()
    await plant.says(worker, "Redis is unavailable")
    worker.terminate()
    assert await asyncio.to_thread(worker.wait, scaled(WAIT)) == 0
    states = plant.rows("SELECT state FROM runs WHERE state = 'running'")
    redis_server.start()
    assert states == []
