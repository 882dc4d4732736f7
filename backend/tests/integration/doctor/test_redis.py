import asyncio
import re
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis as redis_sync

from app.core.checks import Status
from harness.timing import scaled
from services import Redis, running_redis
from services.process import await_true, free_port
from tests.integration.doctor.ward import (
    between,
    change,
    equip,
    follow,
    listens,
    query,
    redis_of_ones_own,
    silent,
    until_ok,
)
from tests.integration.worker.redis_servers import redis_servers
from tests.patient import REPOSITORY, Patient

CHECKS = (
    "redis.reachable",
    "redis.maxmemory-policy",
    "redis.persistence",
    "redis.primary",
    "redis.exposed",
    "redis.memory",
    "redis.shared",
)


@pytest.fixture
def patient(patient: Patient) -> Patient:
    return equip(patient)


@pytest.fixture
def server(patient: Patient, tmp_path: Path) -> Iterator[Redis]:
    """A Redis server that the test may break."""
    with running_redis(tmp_path / "redis") as server:
        change(patient, redis_url=server.url)
        yield server


@pytest.fixture
def client(server: Redis) -> Iterator["redis_sync.Redis"]:
    with redis_sync.Redis.from_url(server.url) as client:
        yield client


async def test_a_healthy_redis_passes_all_checks(patient: Patient) -> None:
    found = await patient.all(*CHECKS)

    assert {name: found[name].status for name in CHECKS} == dict.fromkeys(CHECKS, Status.ok)


async def test_a_redis_that_is_not_used_is_left_alone(patient: Patient) -> None:
    change(patient, use_arq_worker="False", redis_url="redis://127.0.0.1:9/0")

    found = await patient.all(*CHECKS)

    assert {found[name].status for name in CHECKS} == {Status.skipped}
    assert "not used" in found["redis.reachable"].finding.summary


async def test_a_redis_that_is_down_is_named_without_its_password(
    patient: Patient, server: Redis
) -> None:
    server.stop()

    broken = await patient.all(*CHECKS)

    assert broken["redis.reachable"].status is Status.failed
    assert f"127.0.0.1:{server.port}" in broken["redis.reachable"].finding.summary
    assert broken["redis.reachable"].remedy == "make hybrid-up"
    assert broken["redis.memory"].finding.summary == "needs redis.reachable, which failed"
    server.start()  # what hybrid-up does, for a Redis that is ours
    assert (await patient.see("redis.reachable")).status is Status.ok


async def test_a_wrong_password_is_distinguished_from_a_redis_that_is_down(
    patient: Patient, server: Redis
) -> None:
    right = server.url
    patient.about.clear()
    patient.env.clear()
    env_file = patient.root / ".env"
    env_file.write_text(
        f"USE_ARQ_WORKER=True\nREDIS_URL=redis://:wrong@127.0.0.1:{server.port}/0\n"
    )

    broken = await patient.see("redis.reachable")

    assert broken.status is Status.failed
    assert "password" in broken.finding.summary
    assert "wrong" not in str(broken.finding)
    patient.env["EDITOR"] = f"sed -i s|REDIS_URL=.*|REDIS_URL={right}|"
    patient.follow(broken)
    assert (await patient.see("redis.reachable")).status is Status.ok


async def test_a_redis_that_is_silent_is_named_in_time(patient: Patient) -> None:
    with silent() as port:
        change(patient, redis_url=f"redis://:a-password@127.0.0.1:{port}/0")

        broken = await patient.see("redis.reachable", limit=scaled(4))

    assert broken.finding.summary == f"Redis cannot be reached at 127.0.0.1:{port}"


async def test_a_redis_that_answers_slowly_is_reported(patient: Patient) -> None:
    direct = patient.env["REDIS_URL"]
    async with between(direct, delay=0.08) as slow:
        change(patient, redis_url=slow)
        broken = await patient.see("redis.reachable")

    assert broken.status is Status.warning
    assert "slow" in broken.finding.summary
    change(patient, redis_url=direct)
    assert (await patient.see("redis.reachable")).status is Status.ok


async def test_an_old_redis_is_refused(patient: Patient) -> None:
    def older(said: bytes) -> bytes:
        return re.sub(rb"redis_version:\d", b"redis_version:4", said)

    async with between(patient.env["REDIS_URL"], change=older) as old:
        change(patient, redis_url=old)
        broken = await patient.see("redis.primary")

    assert broken.status is Status.failed
    assert broken.finding.required == "Redis 5.0 or later"


async def test_a_policy_that_evicts_is_corrected(
    patient: Patient, client: "redis_sync.Redis"
) -> None:
    client.config_set("maxmemory-policy", "allkeys-lru")

    broken = await patient.see("redis.maxmemory-policy")

    assert broken.status is Status.failed
    assert broken.finding.found == "allkeys-lru"
    follow(patient, broken)
    assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
    assert (await patient.see("redis.maxmemory-policy")).status is Status.ok
    assert await patient.fix(broken) == []


async def test_an_append_only_file_that_is_off_is_switched_on(
    patient: Patient, client: "redis_sync.Redis"
) -> None:
    client.config_set("appendonly", "no")

    broken = await patient.see("redis.persistence")

    assert broken.status is Status.warning
    assert "redis.conf" in broken.finding.required
    follow(patient, broken)
    assert (await patient.see("redis.persistence")).status is Status.ok


def refuses(client: "redis_sync.Redis") -> bool:
    try:
        client.set("a", "b" * 1_000)
    except redis_sync.ResponseError as error:
        return "MISCONF" in str(error)
    return False


async def test_a_redis_that_cannot_write_its_file_is_reported(
    patient: Patient, tmp_path: Path
) -> None:
    port = free_port()
    options = ("--port", str(port), "--appendonly", "yes")
    with redis_of_ones_own(tmp_path / "full", *options, ignoring=True) as process:
        listens(port)
        change(patient, redis_url=f"redis://127.0.0.1:{port}/0")
        assert (await patient.see("redis.persistence")).status is Status.ok
        # a file that may not grow is what a full disk looks like to Redis
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (64, resource.RLIM_INFINITY))
        with redis_sync.Redis(port=port) as client:
            client.set("a", "b" * 1_000)
            assert await_true(lambda: refuses(client), 10)

        broken = await patient.see("redis.persistence")

        assert broken.status is Status.failed
        assert "aof_last_write_status err" in broken.finding.found
        unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, unlimited)
        follow(patient, broken)
        await until_ok(patient, "redis.persistence")


async def test_a_replica_is_distinguished_from_the_primary(
    patient: Patient, server: Redis, client: "redis_sync.Redis", tmp_path: Path
) -> None:
    client.replicaof("127.0.0.1", "9")

    broken = await patient.see("redis.primary")

    assert broken.status is Status.failed
    assert "replica of 127.0.0.1:9" in broken.finding.summary
    client.replicaof("NO", "ONE")
    assert (await patient.see("redis.primary")).status is Status.ok


@pytest.mark.parametrize(("limit", "status"), [(1.1, Status.warning), (0.85, Status.failed)])
async def test_a_redis_with_little_memory_left_is_given_more(
    patient: Patient, client: "redis_sync.Redis", limit: float, status: Status
) -> None:
    # so much that what Redis needs for its connections is a small share of it
    for number in range(1_000):
        client.set(f"ballast:{number}", b"x" * 100_000)
    # until they are on the disk, a copy of what was written takes more memory
    while client.info("memory")["mem_aof_buffer"] > 1_000_000:
        await asyncio.sleep(0.01)
    used = client.info("memory")["used_memory"]
    client.config_set("maxmemory", int(used * limit))

    broken = await patient.see("redis.memory")

    assert broken.status is status
    follow(patient, broken)
    assert (await patient.see("redis.memory")).status is Status.ok


async def test_a_redis_that_admits_anybody_is_protected_by_the_printed_command(
    patient: Patient, tmp_path: Path
) -> None:
    port = free_port()
    with redis_of_ones_own(tmp_path / "open", "--port", str(port), "--protected-mode", "no"):
        listens(port)
        change(patient, redis_url=f"redis://127.0.0.1:{port}/0")

        broken = await patient.see("redis.exposed")

        assert broken.status is Status.failed
        assert "CONFIG SET protected-mode yes" in broken.remedy
        follow(patient, broken)
        assert (await patient.see("redis.exposed")).status is Status.ok


async def test_a_redis_that_listens_to_this_machine_only_needs_no_password(
    patient: Patient, tmp_path: Path
) -> None:
    port = free_port()
    options = ("--port", str(port), "--protected-mode", "no", "--bind", "127.0.0.1")
    with redis_of_ones_own(tmp_path / "local", *options):
        listens(port)
        change(patient, redis_url=f"redis://127.0.0.1:{port}/0")

        assert (await patient.see("redis.exposed")).status is Status.ok


@pytest.mark.parametrize("user", ["kidney-api", "kidney-worker"])
async def test_a_user_with_the_least_permissions_gets_no_failure(
    patient: Patient, tmp_path: Path, user: str
) -> None:
    port, users = free_port(), tmp_path / "users.acl"
    rights = (REPOSITORY / "deploy" / "redis" / "users.acl").read_text()
    users.write_text(re.sub(r">[A-Z]+_PASSWORD", ">their-password", rights))
    # a run that is ready is looked for in the queue
    query(
        patient,
        "WITH r AS (INSERT INTO runs (task, mode) VALUES ('run_pipeline_task', 'smart')"
        " RETURNING id) INSERT INTO run_events (run_id, epoch, event, at)"
        " SELECT id, 1, 'created', now() - interval '1 hour' FROM r",
    )
    options = ("--port", str(port), "--appendonly", "yes", "--aclfile", str(users))
    with redis_of_ones_own(tmp_path / "redis", *options):
        listens(port)
        change(patient, redis_url=f"redis://{user}:their-password@127.0.0.1:{port}/0")

        found = await patient.all(*CHECKS)

    assert found["redis.reachable"].status is Status.ok, found["redis.reachable"].finding
    assert Status.failed not in {each.status for each in found.values()}


async def test_a_command_reaches_the_server_that_a_sentinel_names(
    patient: Patient, tmp_path: Path
) -> None:
    with redis_servers(tmp_path) as start:
        _, primary = start("port {port}\nmaxmemory 900kb\n")
        _, port = start(f"port {{port}}\nsentinel monitor mine 127.0.0.1 {primary} 1\n")
        change(patient, redis_url=f"redis+sentinel://127.0.0.1:{port}/mine/0")

        broken = await patient.see("redis.memory")

        assert broken.status is Status.failed
        assert "get-master-addr-by-name" in broken.remedy
        follow(patient, broken)
        assert (await patient.see("redis.memory")).status is Status.ok


async def test_a_redis_database_of_another_installation_is_named(
    patient: Patient, client: "redis_sync.Redis"
) -> None:
    mark = '{"id": "1:2:3", "database": "kidney_b", "host": "far-away"}'
    client.set("kidney_genetics:installation", mark, ex=60)

    broken = await patient.see("redis.shared")

    assert broken.status is Status.failed
    assert "kidney_b" in broken.finding.found
    assert "far-away" in broken.finding.found
    client.delete("kidney_genetics:installation")
    assert (await patient.see("redis.shared")).status is Status.ok


async def test_a_redis_cluster_is_named(patient: Patient, tmp_path: Path) -> None:
    with redis_servers(tmp_path) as start:
        _, port = start("port {port}\ncluster-enabled yes\n")
        change(patient, redis_url=f"redis://127.0.0.1:{port}/0")

        broken = await patient.see("redis.primary")

        assert broken.status is Status.failed
