from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import httpx
import pytest

from app.annotation.settings import Settings
from app.annotation.sources import build
from app.annotation.sources.answers import Gene
from app.annotation.sources.base import Source
from app.annotation.sources.connector import Connector
from app.annotation.upstream import new_http_client
from app.core.redis.rate_limits import RateLimiter
from sandbox import Options, Sandbox

GENES = 150


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    options = Options(
        genes=GENES,
        limits="off",
        variants_per_gene=30,
        cache_dir=tmp_path_factory.mktemp("sandbox"),
    )
    with Sandbox(options) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(served: Sandbox) -> Sandbox:
    served.reset()
    return served


@pytest.fixture
def upstreams(sandbox: Sandbox, tmp_path: Path) -> Settings:
    addresses = {name.lower(): value for name, value in sandbox.settings.items()}
    return Settings(_env_file=None, cache_dir=tmp_path, **addresses)  # type: ignore[call-arg]


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with new_http_client() as client:
        yield client


class Unlimited:
    """A limiter without limits, because other tests cover rate limits."""

    async def acquire(self, budget: str, rate: float) -> None:
        pass

    async def pause(self, budget: str, seconds: float) -> None:
        pass


@pytest.fixture
def limiter() -> RateLimiter:
    return Unlimited()


@pytest.fixture
def connect(upstreams: Settings, limiter: RateLimiter, http: httpx.AsyncClient) -> Connector:
    return Connector(upstreams, limiter, http)


@pytest.fixture
def source(
    upstreams: Settings, limiter: RateLimiter, http: httpx.AsyncClient
) -> Callable[[str], Source]:
    return lambda name: build(name, upstreams, limiter, http)


@pytest.fixture
def genes(sandbox: Sandbox) -> list[Gene]:
    return [
        Gene(number, gene.hgnc_id, gene.symbol, gene.ensembl_gene_id, gene.entrez_id)
        for number, gene in enumerate(sandbox.catalogue.genes, 1)
    ]
