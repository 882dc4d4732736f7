"""The API outlives its servers, and says what is away."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from pydantic import SecretStr
from sqlalchemy import make_url

from app.api.probes import PROBE_CONNECTIONS
from app.api.services import Services
from app.core.errors import UserError
from app.main import POOL_SIZE, create_app
from tests.integration.api.conftest import serving_app
from tests.integration.api.proxy import Proxy

NOWHERE = SecretStr("redis://127.0.0.1:1")


async def test_ready_lists_the_servers_that_answer(api) -> None:
    answer = await api.get("/health/ready")
    assert answer.json() == {"status": "ready", "redis": "answers"}
    assert (await api.get("/health/live")).json() == {"status": "live"}


async def test_a_run_is_accepted_without_redis(serve, arq_settings, genes, query) -> None:
    async with serve(arq_settings.model_copy(update={"redis_url": NOWHERE})) as client:
        answer = await client.post("/api/admin/runs", json={"sources": ["ensembl"]})
        assert answer.status_code == 202
        status = (await client.get("/api/admin/worker-status")).json()
        assert status["arq_health"] is None
        assert status["queue_depth"] == 1
        ready = await client.get("/health/ready")
        assert (ready.status_code, ready.json()["redis"]) == (200, "away")
    assert query("SELECT state FROM runs") == [{"state": "queued"}]


async def test_an_outage_of_the_database_is_logged_and_survived(serve, arq_settings, genes) -> None:
    dsn = arq_settings.database_url.get_secret_value()
    proxy = Proxy(dsn)
    await proxy.open()
    async with serve(arq_settings.model_copy(update={"database_url": proxy.dsn})) as client:
        assert (await client.get("/api/genes/TTN")).status_code == 200
        await proxy.cut()
        for address in ("/api/genes", "/api/admin/runs", "/health/ready"):
            answer = await client.get(address)
            assert answer.status_code == 503
            assert answer.json()["error"] == "the database is unavailable"
            assert "Retry-After" in answer.headers
            assert make_url(dsn).password not in answer.text
        refused = await client.post("/api/admin/runs", json={})
        assert refused.status_code == 503
        assert (await client.get("/health/live")).status_code == 200
        await proxy.open()
        assert (await client.get("/api/genes/TTN")).status_code == 200
        assert (await client.get("/health/ready")).status_code == 200
        await proxy.cut()


@pytest.mark.parametrize("arq", [True, False])
async def test_it_does_not_start_without_its_database(serve, arq_settings, arq) -> None:
    url = make_url(arq_settings.database_url.get_secret_value()).set(port=1)
    away = SecretStr(url.render_as_string(hide_password=False))
    settings = arq_settings.model_copy(update={"database_url": away, "use_arq_worker": arq})
    with pytest.raises(UserError, match=r"PostgreSQL cannot be used at 127\.0\.0\.1:1/"):
        async with serve(settings):
            pass


async def test_it_does_not_start_on_a_database_that_is_not_migrated(
    serve, arq_settings, empty_database_url
) -> None:
    empty = SecretStr(empty_database_url)
    with pytest.raises(UserError, match="not migrated"):
        async with serve(arq_settings.model_copy(update={"database_url": empty})):
            pass


async def test_a_hosting_server_logs_why_the_app_does_not_start(
    arq_settings, empty_database_url
) -> None:
    empty = SecretStr(empty_database_url)
    app = create_app(arq_settings.model_copy(update={"database_url": empty}))
    said: asyncio.Queue = asyncio.Queue()

    async def receive():
        return {"type": "lifespan.startup"}

    with pytest.raises(UserError):
        await app({"type": "lifespan", "asgi": {}, "state": {}}, receive, said.put)
    message = said.get_nowait()
    assert message["type"] == "lifespan.startup.failed"
    assert message["message"].startswith("the database is not migrated")
    assert "Traceback" not in message["message"]


@asynccontextmanager
async def no_connection_left(services: Services) -> AsyncIterator[None]:
    """Requests use all connections that they may use."""
    async with AsyncExitStack() as stack:
        for _ in range(POOL_SIZE):
            await stack.enter_async_context(services.db.connect())
        yield


async def test_busy_requests_keep_no_probe_from_its_answer(arq_settings, genes) -> None:
    app = create_app(arq_settings)
    async with serving_app(app) as client, no_connection_left(app.state.services):
        ready, metrics = await asyncio.gather(client.get("/health/ready"), client.get("/metrics"))
    assert (ready.status_code, ready.json()["status"]) == (200, "ready")
    assert "kidney_genetics_postgresql_up 1.0" in metrics.text
    assert "kidney_genetics_genes 3.0" in metrics.text


async def test_sixty_probes_at_once_need_one_connection_for_each_query(api, query) -> None:
    paths = ["/health/ready", "/metrics"] * 30
    answers = await asyncio.gather(*map(api.get, paths))
    assert {answer.status_code for answer in answers} == {200}
    (found,) = query(
        "SELECT count(*) AS sessions FROM pg_stat_activity"
        " WHERE datname = current_database() AND application_name = 'kidney-genetics api probes'"
    )
    assert found["sessions"] <= PROBE_CONNECTIONS


async def test_waiting_for_a_connection_in_vain_is_busy_and_no_fault_of_postgresql(
    arq_settings, monkeypatch
) -> None:
    monkeypatch.setattr("app.main.POOL_TIMEOUT", 0.1)
    app = create_app(arq_settings)
    async with serving_app(app) as client, no_connection_left(app.state.services):
        answer = await client.get("/api/genes")
    assert answer.status_code == 503
    assert answer.json()["error"] == "the API is busy with other requests"
    assert "Retry-After" in answer.headers
