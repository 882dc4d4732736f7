"""`deploy/redis`, started as in its container, under a worker and an API that do all they do."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
import redis
from redis.exceptions import AuthenticationError, NoPermissionError, RedisError

from harness.timing import WAIT, scaled
from harness.waiting import until
from sandbox.options import Options
from sandbox.server import Sandbox
from services import process
from services.binaries import redis_program
from tests.forked import Programs
from tests.plant import QUEUE, Plant

REPOSITORY = Path(__file__).resolve().parents[4]
API, WORKER = "kidney-api", "kidney-worker"
PASSWORDS = {API: "the api's %/&", WORKER: "the worker's \\1"}
TOKEN = {"Authorization": "Bearer a-token-of-the-tests"}


class Guarded:
    """A Redis with the users of `users.acl`, and one of the test's own that may do everything."""

    def __init__(self, port: int) -> None:
        self.port = port

    def client(self, user: str) -> Any:
        password = PASSWORDS.get(user, user)
        return redis.Redis(port=self.port, username=user, password=password)

    def url(self, user: str) -> str:
        return f"redis://{user}:{quote(PASSWORDS[user], safe='')}@127.0.0.1:{self.port}/0"

    def answers(self) -> bool:
        try:
            return bool(self.client("health").ping())
        except RedisError:
            return False

    def refused(self) -> set[tuple[str, str]]:
        """What the project's users were refused, but for redis-py's introducing itself."""
        with self.client("test") as client:
            log = client.acl_log(count=100)
        told = {(each["username"], each["object"]) for each in log}
        return {(user, what) for user, what in told if what not in {"client", "client|setinfo"}}


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Guarded]:
    folder = tmp_path / "deploy"
    shutil.copytree(REPOSITORY / "deploy" / "redis", folder)
    with (folder / "users.acl").open("a") as users:
        users.write("user test on >test ~* &* +@all\n")
    for name in ("bin", "data"):
        (tmp_path / name).mkdir()
    (tmp_path / "bin" / "redis-server").symlink_to(redis_program())
    port = process.free_port()
    log = tmp_path / "redis.log"
    with log.open("wb") as out:
        server = subprocess.Popen(
            ["sh", str(folder / "start.sh"), "--port", str(port)],
            cwd=tmp_path / "data",
            env={
                "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
                "REDIS_RUN_DIR": str(tmp_path),
                "REDIS_API_PASSWORD": PASSWORDS[API],
                "REDIS_WORKER_PASSWORD": PASSWORDS[WORKER],
            },
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    guarded = Guarded(port)
    try:
        until(lambda: server.poll() is not None or guarded.answers())
        assert server.poll() is None, log.read_text()
        yield guarded
    finally:
        server.kill()
        server.wait()


@pytest.fixture
def plant(
    guarded: Guarded, database_url: str, tmp_path: Path, programs: Programs
) -> Iterator[Plant]:
    options = Options(genes=200, variants_per_gene=20, limits="off", cache_dir=tmp_path)
    with Sandbox(options) as sandbox:
        env = os.environ | sandbox.settings
        env |= {
            "DATABASE_URL": database_url,
            "REDIS_URL": guarded.url(API),
            "USE_ARQ_WORKER": "true",
            "ADMIN_TOKEN": TOKEN["Authorization"].split()[1],
            "CACHE_DIR": str(tmp_path / "cache"),
            "CLINVAR_BULK_THRESHOLD": "1000000",
            "NCBI_RATE": "20",
        }
        plant = Plant(env, sandbox, tmp_path, programs)
        plant.fill()
        yield plant
        plant.end()


async def test_a_worker_and_an_api_get_by_with_what_their_users_may_do(
    plant: Plant, guarded: Guarded
) -> None:
    # what is no queue is put aside
    with guarded.client("test") as client:
        client.set(QUEUE, "no queue")
    workers = [plant.worker(REDIS_URL=guarded.url(WORKER)) for _ in range(2)]
    by_pid = {worker.pid: worker for worker in workers}
    _, address = await plant.api()
    async with httpx.AsyncClient(base_url=address, headers=TOKEN, timeout=scaled(WAIT)) as api:
        assert (await api.get("/health/ready")).json()["redis"] == "answers"
        created = await api.post("/api/admin/runs", json={"sources": ["ensembl", "clinvar"]})
        assert created.status_code == 202, created.text
        running = await plant.until(lambda r: r["state"] == "running" and r["done"] > 0)
        by_pid[running["pid"]].send_signal(signal.SIGTERM)
        run = await plant.ended()
        assert (run["state"], run["interruptions"]) == ("succeeded", 1)
        status = (await api.get("/api/admin/worker-status")).json()
        assert "j_complete" in status["arq_health"]
        assert status["budgets"]
        examined = await api.post("/api/admin/doctor", json={})
        assert examined.json()["counts"]["failed"] == 0, examined.text
        assert (await api.get("/metrics")).status_code == 200
    with guarded.client("test") as client:
        assert client.get(f"{QUEUE}:put-aside") == b"no queue"
    assert guarded.refused() == set()


async def test_the_users_may_do_nothing_else(guarded: Guarded) -> None:
    for user in (API, WORKER, "health"):
        with guarded.client(user) as client:
            assert client.ping()
            for command in (
                "FLUSHALL",
                "FLUSHDB",
                "CONFIG GET dir",
                "CONFIG SET dir /tmp",
                "KEYS *",
                "SCAN 0",
                "MONITOR",
                "ACL LIST",
                "ACL SETUSER default on nopass",
                "DEBUG SLEEP 0",
                "SHUTDOWN NOSAVE",
                "SAVE",
                "REPLICAOF 127.0.0.1 1",
                "MODULE LIST",
                "EVAL return 0",
                "SUBSCRIBE x",
                "PUBLISH x y",
                "CLIENT LIST",
                "SET another-key 1",
                "GET another-key",
            ):
                with pytest.raises(NoPermissionError):
                    client.execute_command(*command.split())
    with guarded.client(API) as client, pytest.raises(NoPermissionError):
        client.rename(QUEUE, f"{QUEUE}:put-aside")
    with redis.Redis(port=guarded.port) as client, pytest.raises(AuthenticationError):
        client.ping()
    with (
        redis.Redis(port=guarded.port, username=WORKER, password="WORKER_PASSWORD") as client,
        pytest.raises(AuthenticationError),
    ):
        client.ping()


async def test_redis_keeps_what_it_is_told_and_evicts_nothing(guarded: Guarded) -> None:
    with guarded.client("test") as client:
        told = {
            name: client.config_get(name)[name]
            for name in ("appendonly", "appendfsync", "maxmemory", "maxmemory-policy", "save")
        }
    assert told == {
        "appendonly": "yes",
        "appendfsync": "everysec",
        "maxmemory": str(256 * 2**20),
        "maxmemory-policy": "noeviction",
        "save": "",
    }
