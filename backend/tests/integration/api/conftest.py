import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from psycopg.rows import dict_row

from app.core.config import Settings
from app.main import create_app
from sandbox.options import Options
from sandbox.server import Sandbox

TOKEN = {"Authorization": "Bearer a-token-of-the-tests"}

Serve = Callable[[Settings], AbstractAsyncContextManager[httpx.AsyncClient]]
Query = Callable[..., list[dict[str, Any]]]


@pytest.fixture(autouse=True)
def _own_logging() -> Iterator[None]:
    """Undo what the application's start does to the logging of the tests."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(settings)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(
            transport=transport, base_url="http://api", headers=TOKEN, timeout=60
        ) as client,
    ):
        yield client


@pytest.fixture
def serve() -> Serve:
    """Start an application, and give an administrator's client of it."""
    return serving


@pytest.fixture
def arq_settings(settings: Settings, redis_url: str) -> Settings:
    """Settings under which arq workers execute the runs; there are none."""
    return settings.model_copy(
        update={
            "use_arq_worker": True,
            "redis_url": type(settings.database_url)(redis_url),
        }
    )


@pytest.fixture
async def api(arq_settings: Settings, genes: None) -> AsyncIterator[httpx.AsyncClient]:
    """An administrator's client; runs stay queued."""
    async with serving(arq_settings) as client:
        yield client


@pytest.fixture
def query(database_url: str) -> Query:
    """Read or change the database behind the API's back."""

    def do(statement: str, *values: Any) -> list[dict[str, Any]]:
        with psycopg.connect(database_url, row_factory=dict_row) as connection:
            cursor = connection.execute(statement, values)
            return cursor.fetchall() if cursor.description else []

    return do


@pytest.fixture
def genes(query: Query) -> None:
    query(
        "INSERT INTO genes (hgnc_id, symbol, ensembl_gene_id, entrez_id) VALUES"
        " ('HGNC:9008', 'PKD1', 'ENSG00000008710', '5310'),"
        " ('HGNC:24456', 'C1orf112', NULL, NULL),"
        " ('HGNC:12403', 'TTN', 'ENSG00000155657', '7273')"
    )


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    options = Options(genes=30, variants_per_gene=5, limits="off", cache_dir=tmp_path)
    with Sandbox(options) as upstreams:
        yield upstreams
