"""PostgreSQL restarted, refusing, full."""

import asyncio
import random
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine

from app.db import migrate
from app.db.engine import psycopg_url
from services.postgres import Postgres, running_postgres
from tests.reliability.conftest import BATCH, MakeScene, Scene


@pytest.mark.timeout(300)
async def test_eight_crashes_of_postgresql_lose_nothing(
    make_scene: MakeScene, postgres: Postgres, seed: random.Random
) -> None:
    scene = make_scene(genes=4_000, rates={"hgnc": 50.0})
    workers = await scene.workers(2)
    run_id = scene.annotate("hgnc")
    for _ in range(8):
        await scene.half_way(run_id, 0)
        await asyncio.sleep(seed.uniform(5, 9))
        postgres.stop("immediate")
        await asyncio.sleep(seed.uniform(0, 1))
        postgres.start()
    assert (await scene.until(lambda r: True))["state"] in {"queued", "running"}
    run = await scene.ended(run_id, 120)
    scene.check(run_id)
    assert (run["attempts"], run["error"]) == (1, None), scene.story(run_id)
    # a crash costs the batch in flight, and never a second one to somebody else's judgement
    assert scene.repeats() <= 8 * BATCH
    assert all(worker.poll() is None for worker in workers.values())


async def test_a_read_only_postgresql_is_waited_for(scene: Scene, postgres: Postgres) -> None:
    (worker,) = (await scene.workers(1)).values()
    run_id = scene.annotate("hgnc")
    await scene.half_way(run_id, BATCH)
    superuser(postgres, "ALTER SYSTEM SET default_transaction_read_only = on")
    try:
        superuser(postgres, "SELECT pg_reload_conf()")
        await scene.says(worker, "read-only transaction")
        before = written(scene)
        await asyncio.sleep(6)
        assert written(scene) == before
    finally:
        superuser(postgres, "ALTER SYSTEM RESET default_transaction_read_only")
        superuser(postgres, "SELECT pg_reload_conf()")
    await recovers(scene, run_id)
    assert worker.poll() is None
    # an outage is no bug of ours
    assert "Traceback" not in scene.log(worker)


async def test_a_postgresql_that_takes_no_more_connections_is_waited_for(
    scene: Scene, postgres: Postgres
) -> None:
    (worker,) = (await scene.workers(1)).values()
    run_id = scene.annotate("hgnc")
    await scene.half_way(run_id, BATCH)
    role = psycopg_url(postgres.dsn).username
    superuser(postgres, f"ALTER ROLE {role} CONNECTION LIMIT 0")
    try:
        superuser(
            postgres,
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{role}'",
        )
        await scene.says(worker, "too many connections")
        await asyncio.sleep(6)
    finally:
        superuser(postgres, f"ALTER ROLE {role} CONNECTION LIMIT -1")
    await recovers(scene, run_id)
    assert worker.poll() is None


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A separate disk of 160 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=160m", "tmpfs", str(folder)]
    mounted = subprocess.run(mount, capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"a small disk cannot be mounted: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


async def test_a_full_disk_is_waited_for(make_scene: MakeScene, small_disk: Path) -> None:
    with running_postgres(small_disk / "postgres") as server:
        engine = create_engine(psycopg_url(server.dsn))
        with engine.begin() as connection:
            migrate.upgrade(connection)
        engine.dispose()
        scene = make_scene(database=server.dsn, rates={"hgnc": 60.0})
        (worker,) = (await scene.workers(1)).values()
        run_id = scene.annotate("hgnc")
        await scene.half_way(run_id, BATCH)
        filler = small_disk / "filler"
        fill(filler)
        try:
            await scene.says(worker, "No space left on device")
            await asyncio.sleep(6)
        finally:
            filler.unlink()
        await recovers(scene, run_id)
        assert any(
            "postgresql: no space left" in event["detail"].get("waiting_for", "")
            for event in scene.events(run_id)
        ), scene.story(run_id)
        assert worker.poll() is None
        scene.end()


def fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(65_536))
        except OSError:
            pass


def written(scene: Scene) -> int:
    return int(scene.rows("SELECT count(*) FROM annotations")[0]["count"])


async def recovers(scene: Scene, run_id: int) -> None:
    await scene.ended(run_id)
    scene.check(run_id)
    assert scene.counters(run_id)[0] == 1, scene.story(run_id)
    assert scene.rows("SELECT DISTINCT count(*) FROM written GROUP BY xid") == [{"count": BATCH}]
    assert scene.repeats() <= 2 * BATCH
    assert any(
        "postgresql" in event["detail"].get("waiting_for", "") or event["event"] == "released"
        for event in scene.events(run_id)
    ), scene.story(run_id)


def superuser(server: Postgres, statement: str) -> None:
    with psycopg.connect(server.superuser_dsn, autocommit=True) as connection:
        connection.execute(statement.encode())
