"""A Redis database that two installations share, and a Redis Cluster."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from arq.connections import ArqRedis

from app.core.redis import installation
from harness.timing import WAIT, scaled
from tests.databases import TEMPLATE, Databases
from tests.integration.worker.redis_servers import redis_servers
from tests.plant import Plant


@pytest.fixture
def other_database(databases: Databases) -> Iterator[str]:
    """The database of another installation, on the same server."""
    name = databases.create(TEMPLATE)
    yield databases.dsn(name)
    databases.drop(name)


async def test_a_worker_of_another_installation_does_not_start_and_says_why(
    plant: Plant, other_database: str
) -> None:
    first = plant.worker()
    await plant.says(first, "is alive")
    other = plant.worker(DATABASE_URL=other_database)
    assert await asyncio.to_thread(other.wait, scaled(WAIT)) == 1
    said = plant.log(other)
    assert "another installation uses this Redis database" in said
    assert "REDIS_URL=redis://host:6379/1" in said
    assert "Traceback" not in said
    assert first.poll() is None
    # a database of its own is enough
    elsewhere = plant.worker(
        DATABASE_URL=other_database, REDIS_URL=plant.env["REDIS_URL"].rpartition("/")[0] + "/1"
    )
    await plant.says(elsewhere, "is alive")
    api, _ = await plant.api(DATABASE_URL=other_database)
    assert "another installation uses this Redis database" in plant.log(api)


async def test_a_key_that_does_not_hold_a_mark_is_overwritten_at_the_start(
    arq_redis: ArqRedis,
) -> None:
    mine = installation.Mark("1:2:3", "mine", "here")
    for put in (arq_redis.set(installation.KEY, b"\xff"), arq_redis.lpush(installation.KEY, "x")):
        await arq_redis.delete(installation.KEY)
        await put
        await installation.claim(arq_redis, mine)
        assert installation.read(await arq_redis.get(installation.KEY)) == mine
        assert 0 < await arq_redis.ttl(installation.KEY) <= installation.MARK_TTL


async def test_a_redis_cluster_is_refused_at_the_start(plant: Plant, tmp_path: Path) -> None:
    with redis_servers(tmp_path) as start:
        _, port = start("port {port}\ncluster-enabled yes\n")
        worker = plant.worker(REDIS_URL=f"redis://127.0.0.1:{port}/0")
        api = plant.start("app.cli", "api", "--port", "0", REDIS_URL=f"redis://127.0.0.1:{port}/0")
        for process in (worker, api):
            assert await asyncio.to_thread(process.wait, scaled(WAIT)) > 0
            assert "this is a Redis Cluster" in plant.log(process)
            assert "Traceback" not in plant.log(process)
