from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import httpx
import pytest
from fastapi import FastAPI

from app.annotation.settings import Settings
from app.main import create_app
from harness.timing import WAIT, scaled

TOKEN = {"Authorization": "Bearer a-token-of-the-tests"}

Serve = Callable[[Settings], AbstractAsyncContextManager[httpx.AsyncClient]]


@pytest.fixture(autouse=True)
def _own_logging(own_logging: None) -> None:
    """Every application that starts sets up the logging of its process."""


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    async with serving_app(create_app(settings)) as client:
        yield client


@asynccontextmanager
async def serving_app(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(
            transport=transport, base_url="http://api", headers=TOKEN, timeout=scaled(WAIT)
        ) as client,
    ):
        yield client


@pytest.fixture
def serve() -> Serve:
    """Start an application, and yield an administrator's client of it."""
    return serving


@pytest.fixture
async def api(arq_settings: Settings, genes: None) -> AsyncIterator[httpx.AsyncClient]:
    """An administrator's client; runs stay queued."""
    async with serving(arq_settings) as client:
        yield client
