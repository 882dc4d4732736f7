import httpx
import pytest
from pydantic import SecretStr

from app.annotation.settings import Settings
from app.main import create_app

ADMIN = ("/api/admin/runs", "/api/admin/worker-status", "/api/admin/runs/1/events")
RIGHT = "Bearer a-token-of-the-tests"


@pytest.mark.parametrize("address", [*ADMIN, "/api/admin", "/api/admin/nothing"])
async def test_without_a_token_nothing_is_shown(client, address) -> None:
    answer = await client.get(address)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert "missing" in answer.json()["error"]


@pytest.mark.parametrize(
    "header",
    [
        "Bearer wrong-token",
        "Bearer a-token-of-the-test",
        "Bearer a-token-of-the-testss",
        "Bearer",
        "Bearer ",
        "Basic a-token-of-the-tests",
        "a-token-of-the-tests",
        b"Bearer \xe4\xf6\xfc",
    ],
)
async def test_a_wrong_token_is_refused_and_not_repeated(client, header) -> None:
    answer = await client.get(ADMIN[0], headers={"Authorization": header})
    assert answer.status_code == 401
    assert "a-token" not in answer.text


async def test_two_tokens_are_none(client) -> None:
    headers = [("Authorization", RIGHT), ("Authorization", "Bearer other")]
    assert (await client.get(ADMIN[0], headers=headers)).status_code == 401


@pytest.mark.parametrize("header", [RIGHT, RIGHT.replace("Bearer", "bearer")])
async def test_the_right_token_opens(client, header) -> None:
    answer = await client.get("/api/admin/nothing", headers={"Authorization": header})
    assert answer.status_code == 404


async def test_unauthorized_clients_learn_nothing_about_the_body(client) -> None:
    assert (await client.post(ADMIN[0], content=b"{")).status_code == 401
    assert (await client.post(ADMIN[0], content=b" " * 100_000)).status_code == 401


async def test_a_prefix_before_the_path_opens_nothing(app) -> None:
    transport = httpx.ASGITransport(app, root_path="/behind")
    async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
        assert (await client.get("/behind/api/admin/runs")).status_code == 401


async def test_without_a_configured_token_the_addresses_are_closed(settings: Settings) -> None:
    app = create_app(settings.model_copy(update={"admin_token": None}))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
        for address in ADMIN:
            answer = await client.get(address, headers={"Authorization": RIGHT})
            assert answer.status_code == 503
            assert "ADMIN_TOKEN" in answer.json()["remedy"]
        assert (await client.get("/health/live")).status_code == 200


@pytest.mark.parametrize("address", ["/health/live", "/openapi.json"])
async def test_public_resources_need_no_token(client, address) -> None:
    assert (await client.get(address)).status_code == 200


READS = (
    "/api/genes",
    "/api/genes/PKD1",
    "/api/sources",
    "/api/resolve?name=PKD1",
    "/api/snapshots",
    "/api/nothing",
)
READ_TOKEN = "the-token-of-the-readers"


def readers_client(settings: Settings, **changes: object) -> httpx.AsyncClient:
    app = create_app(settings.model_copy(update={"read_token": SecretStr(READ_TOKEN), **changes}))
    # whoever may come in is answered 500 or 404: the application was not started
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://api")


@pytest.mark.parametrize("address", READS)
async def test_with_a_read_token_nothing_is_read_without_a_token(
    settings: Settings, address: str
) -> None:
    async with readers_client(settings) as client:
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": READ_TOKEN}):
            answer = await client.get(address, headers=headers)
            assert answer.status_code == 401
            assert answer.headers["WWW-Authenticate"] == "Bearer"
            assert answer.json()["allowed"] == "Authorization: Bearer <READ_TOKEN>"
            assert READ_TOKEN not in answer.text
        posted = await client.post("/api/genes/query", content=b"{")
        assert posted.status_code == 401


@pytest.mark.parametrize("address", READS)
async def test_the_read_token_and_the_admin_token_open_the_reads(
    settings: Settings, address: str
) -> None:
    async with readers_client(settings) as client:
        for header in (RIGHT, f"Bearer {READ_TOKEN}"):
            answer = await client.get(address, headers={"Authorization": header})
            assert answer.status_code != 401


async def test_the_read_token_opens_nothing_else(settings: Settings) -> None:
    async with readers_client(settings) as client:
        for address in ADMIN:
            answer = await client.get(address, headers={"Authorization": f"Bearer {READ_TOKEN}"})
            assert answer.status_code == 401


async def test_the_probes_need_no_read_token(settings: Settings) -> None:
    async with readers_client(settings) as client:
        for address in ("/health/live", "/openapi.json"):
            assert (await client.get(address)).status_code == 200


async def test_without_a_read_token_everybody_may_read(client) -> None:
    for address in READS:
        assert (await client.get(address)).status_code != 401
