from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from app.annotation.settings import Settings
from app.main import create_app

TOKEN = "a-token-of-the-tests"


@pytest.fixture
def settings() -> Settings:
    """Settings that lead to no server."""
    return Settings(
        _env_file=None,
        database_url="postgresql://127.0.0.1:1/nothing",
        redis_url="redis://127.0.0.1:1",
        use_arq_worker=True,
        admin_token=TOKEN,
    )


@pytest.fixture
def app(settings: Settings) -> FastAPI:
    return create_app(settings)


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """An unauthenticated client of an application that was not started."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
        yield client
