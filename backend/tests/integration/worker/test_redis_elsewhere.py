"""Redis with TLS, and Redis with Sentinel."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
import trustme

from app.core.redis.health_line import HEALTH_CHECK_KEY
from harness.timing import WAIT, limit, scaled
from services.process import LOOPBACK
from tests.integration.worker.redis_servers import Start, redis_servers, redis_with_tls
from tests.plant import Plant

pytestmark = [pytest.mark.reliability, pytest.mark.timeout(180)]

PASSWORD = "sw%rd/fish"
QUOTED = "sw%25rd%2Ffish"


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    with redis_servers(tmp_path) as start:
        yield start


@pytest.fixture
def authority(tmp_path: Path) -> tuple[str, str]:
    """The certificate of a private authority, and that of the server with its key."""
    ca = trustme.CA()
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")
    ca.issue_cert(LOOPBACK, "localhost").private_key_and_cert_chain_pem.write_to_path(
        tmp_path / "server.pem"
    )
    return str(tmp_path / "ca.pem"), str(tmp_path / "server.pem")


def tls(server: str, ca: str) -> str:
    return (
        f"port 0\ntls-port {{port}}\ntls-cert-file {server}\ntls-key-file {server}\n"
        f"tls-ca-cert-file {ca}\ntls-auth-clients no\n"
    )


async def test_a_worker_trusts_the_configured_certificate_authority(
    genes: Plant, start: Start, authority: tuple[str, str]
) -> None:
    ca, certificate = authority
    program = redis_with_tls()
    _, port = start(
        tls(certificate, ca) + f'requirepass "{PASSWORD}"\n',
        program=program,
        ssl=True,
        ssl_ca_certs=ca,
        password=PASSWORD,
    )
    url = f"rediss://:{QUOTED}@{LOOPBACK}:{port}/0"
    refused = genes.worker(REDIS_URL=url)
    assert await asyncio.to_thread(refused.wait, scaled(WAIT)) == 1
    assert "CERTIFICATE_VERIFY_FAILED" in genes.log(refused)
    assert "Traceback" not in genes.log(refused)
    genes.env["REDIS_URL"] = f"{url}?ssl_ca_certs={ca}"
    worker = genes.worker()
    await genes.says(worker, "is alive")
    assert genes.cli("annotate", "hgnc").returncode == 0
    assert (await genes.ended())["state"] == "succeeded"
    check = genes.start("arq", "app.core.arq_worker.WorkerSettings", "--check")
    assert await asyncio.to_thread(check.wait, scaled(WAIT)) == 0, genes.log(check)


async def test_a_worker_follows_sentinel_to_a_new_primary(genes: Plant, start: Start) -> None:
    common = f'port {{port}}\nrequirepass "{PASSWORD}"\nmasterauth "{PASSWORD}"\n'
    first, port = start(common, password=PASSWORD)
    _, replica = start(common + f"replicaof {LOOPBACK} {port}\n", password=PASSWORD)
    _, sentinel = start(
        "port {port}\nrequirepass sentinels\n"
        f"sentinel monitor main {LOOPBACK} {port} 1\n"
        f'sentinel auth-pass main "{PASSWORD}"\n'
        "sentinel down-after-milliseconds main 1000\nsentinel failover-timeout main 5000\n",
        password="sentinels",
    )
    with redis.Redis(port=sentinel, password="sentinels") as asked:
        async with limit():
            while asked.sentinel_master("main")["num-slaves"] < 1:
                await asyncio.sleep(0.1)
    genes.env["REDIS_URL"] = (
        f"redis+sentinel://:{QUOTED}@{LOOPBACK}:{sentinel}/main/0?sentinel_password=sentinels"
    )
    worker = genes.worker()
    await genes.says(worker, "is alive")
    assert genes.cli("annotate").returncode == 0
    await genes.until(lambda r: r["state"] == "running" and r["done"] > 0)
    first.kill()
    run = await genes.ended()
    assert (run["state"], run["attempts"], run["losses"]) == ("succeeded", 1, 0)
    with redis.Redis(port=replica, password=PASSWORD) as now:
        async with limit():
            while now.role()[0] != b"master" or not now.exists(HEALTH_CHECK_KEY):
                await asyncio.sleep(0.1)
    assert genes.cli("annotate", "hgnc", "--mode", "full").returncode == 0
    assert (await genes.ended())["state"] == "succeeded"
    assert worker.poll() is None


@pytest.mark.parametrize("url", ["redis+sentinel://127.0.0.1:1/main/0", "rediss://127.0.0.1:1"])
async def test_the_error_about_an_unreachable_redis_has_no_password(plant: Plant, url: str) -> None:
    worker = plant.worker(REDIS_URL=url.replace("://", "://:hush@"))
    assert await asyncio.to_thread(worker.wait, scaled(WAIT)) == 1
    assert "127.0.0.1:1" in plant.log(worker)
    assert "hush" not in plant.log(worker)
    assert "Traceback" not in plant.log(worker)
