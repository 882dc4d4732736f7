"""*Now* shows the use of the request budgets, without taking slots in Redis."""

import re
import time

import pytest
import redis
from pydantic import SecretStr

from app.annotation.sources import SOURCES
from app.core.redis.rate_limits import KEY
from app.core.redis.slot_counts import COUNTED_SECONDS
from tests.integration.web.conftest import ADMIN, log_in, visiting

HOST = SOURCES["ensembl"].info.hosts[0]


async def words(browser) -> str:
    text = re.sub(r"<[^>]+>", " ", (await browser.get("/")).text)
    return " ".join(text.split())


@pytest.fixture
def client(redis_url):
    with redis.Redis.from_url(redis_url) as client:
        yield client


def use(client, slots: int, **more: int) -> None:
    """Write that slots were taken in the present and in the former period."""
    now = time.time()
    state = {"next": int(now * 1e6), "paused": 0, "used": slots, "before": slots}
    client.hset(
        KEY.format(HOST.name), mapping=state | {"period": int(now / COUNTED_SECONDS)} | more
    )


async def test_idle_budgets_are_counted(admin) -> None:
    assert "No request was sent in the last seconds" in await words(admin)


async def test_a_budget_in_use_is_shown_with_its_service(admin, client) -> None:
    use(client, 10_000)
    before = client.hgetall(KEY.format(HOST.name))

    text = await words(admin)
    assert f"{HOST.name} ensembl {HOST.rate:g} a second about 100 %" in text
    assert client.hgetall(KEY.format(HOST.name)) == before
    assert client.keys() == [KEY.format(HOST.name).encode()]


async def test_a_pause_is_shown_with_its_remaining_time(admin, client) -> None:
    use(client, 1, paused=int((time.time() + 3_000) * 1e6))

    assert re.search(r"paused by the service , 50 min left", await words(admin))


async def test_without_redis_the_page_says_so(web_settings, genes) -> None:
    nowhere = SecretStr("redis://127.0.0.1:1/0")
    async with visiting(web_settings.model_copy(update={"redis_url": nowhere})) as browser:
        await log_in(browser, ADMIN)
        assert "because Redis does not answer" in await words(browser)


async def test_the_budgets_of_an_api_that_executes_the_runs_are_shown(settings, genes) -> None:
    async with visiting(settings) as browser:
        await log_in(browser, ADMIN)
        assert "No request was sent in the last seconds" in await words(browser)
