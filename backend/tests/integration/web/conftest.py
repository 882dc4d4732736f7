import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import httpx
import pytest
from pydantic import SecretStr

from app.annotation.settings import Settings
from app.main import create_app
from harness.timing import WAIT, scaled
from tests.integration.chromium import chromium
from tests.integration.conftest import Query
from tests.integration.web.routes import MARKUP, Browser, browsing

__all__ = ["chromium"]

ADMIN, VIEWER = "a-token-of-the-tests", "a-token-that-only-reads"

HERE = "http://localhost"

FROM_HERE = {"Sec-Fetch-Site": "same-origin", "Accept": "text/html"}
"""What a browser sends with the form of a page of this server."""

Visit = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]


@pytest.fixture(autouse=True)
def _own_logging(own_logging: None) -> None:
    """Every application that starts sets up the logging of its process."""


@asynccontextmanager
async def visiting(
    settings: Settings, *, address: str = HERE, root_path: str = ""
) -> AsyncIterator[httpx.AsyncClient]:
    """A browser without a session. It follows no redirects."""
    app = create_app(settings)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False, root_path=root_path)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(
            transport=transport, base_url=address, headers=FROM_HERE, timeout=scaled(WAIT)
        ) as browser,
    ):
        yield browser


@pytest.fixture
def visit() -> Visit:
    return visiting


@pytest.fixture
def web_settings(arq_settings: Settings) -> Settings:
    """Settings with both tokens and arq workers, of which none is started."""
    return arq_settings.model_copy(update={"viewer_token": SecretStr(VIEWER)})


@pytest.fixture
async def visitor(web_settings: Settings, genes: None) -> AsyncIterator[httpx.AsyncClient]:
    """A browser without a session."""
    async with visiting(web_settings) as browser:
        yield browser


async def log_in(browser: httpx.AsyncClient, token: str) -> httpx.Response:
    answer = await browser.post("/login", data={"token": token})
    assert answer.status_code == 303, answer.text
    return answer


@pytest.fixture
async def admin(visitor: httpx.AsyncClient) -> httpx.AsyncClient:
    """A browser with an admin's session."""
    await log_in(visitor, ADMIN)
    return visitor


@pytest.fixture
async def viewer(visitor: httpx.AsyncClient) -> httpx.AsyncClient:
    """A browser with a viewer's session."""
    await log_in(visitor, VIEWER)
    return visitor


@pytest.fixture
def api_run(query) -> int:
    """A run that was cancelled."""
    (run,) = query(
        "INSERT INTO runs (task, sources, mode, state, finished_at)"
        " VALUES ('run_pipeline_task', '{hgnc}', 'smart', 'cancelled', now()) RETURNING id"
    )
    run_id: int = run["id"]
    return run_id


@pytest.fixture
async def browser(
    web_settings: Settings, genes: None, api_run: int, query: Query
) -> AsyncIterator[Browser]:
    """A browser that knows all addresses, and a database with a run, a schedule and genes."""
    query(
        "INSERT INTO schedules (name, kind, cron, zone, mode, overlap, catch_up, next_at, by)"
        " VALUES ('nightly', 'cron', '0 3 * * 0', 'Europe/Berlin', 'smart', 'skip', 3600,"
        " now() + interval '1 day', 'Ada')"
    )
    query(
        "INSERT INTO run_events (run_id, epoch, event, at, detail)"
        " SELECT %s, epoch, event, now() + make_interval(secs => n), %s::jsonb FROM"
        " (VALUES (1, 'claimed', 0), (1, 'lost', 9), (2, 'taken over', 10)) t (epoch, event, n)",
        api_run,
        json.dumps({"worker": 1, "reason": MARKUP}),
    )
    async with browsing(web_settings, base_url=HERE, headers=FROM_HERE) as found:
        yield found
