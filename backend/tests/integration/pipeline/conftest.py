"""The sandbox and a real PostgreSQL, for runs that are executed in the test's own process."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from app.annotation.refresh.pipeline import Pipeline
from app.annotation.refresh.requests import request_run
from app.annotation.settings import Settings
from app.core.runs.operations import Created
from app.core.runs.request import RunRequest
from app.core.workers.dispatcher import InProcessDispatcher
from harness.timing import scaled
from sandbox.options import Options
from sandbox.server import Sandbox
from tests.hurried import Hurried
from tests.integration.conftest import QUICK, Bench
from tests.people import ADA

GENES = 60


@pytest.fixture
def genes() -> int:
    """The number of genes in the sandbox."""
    return GENES


@pytest.fixture
def sandbox(genes: int, sandbox_cache: Path) -> Iterator[Sandbox]:
    with Sandbox(
        Options(genes=genes, variants_per_gene=10, limits="off", cache_dir=sandbox_cache)
    ) as upstreams:
        yield upstreams


@pytest.fixture
def settings(settings: Settings, sandbox: Sandbox) -> Settings:
    values = {name.lower(): value for name, value in sandbox.settings.items()}
    return Settings(
        **{
            **settings.model_dump(),
            **values,
            "upstream_timeout": scaled(2),
            "upstream_backoff": 0.01,
            "run_backoff_base": 0.05,
            "run_backoff_cap": 0.1,
        },
        _env_file=None,
    )


class Annotator:
    """Requests runs and executes them in this process."""

    def __init__(self, bench: Bench, sandbox: Sandbox, settings: Settings) -> None:
        self.bench = bench
        self.sandbox = sandbox
        self.settings = settings
        self.enabled = settings.enabled_sources

    async def request(
        self,
        *sources: str,
        mode: str = "smart",
        resume: bool = False,
        genes: Sequence[str] | None = None,
    ) -> Created:
        request = RunRequest.of(sources or None, mode, genes)
        return await request_run(
            self.bench.db,
            InProcessDispatcher(),
            request,
            enabled=self.enabled,
            resume=resume,
            actor=ADA,
        )

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        pipeline = Pipeline(self.bench.settings, Hurried())
        # a heartbeat and a recovery pass every 50 ms would take more processor time than many runs
        async with self.bench.worker(pipeline.run, timing=replace(QUICK, heartbeat=0.5)):
            yield
        await pipeline.close()

    async def run(
        self,
        *sources: str,
        mode: str = "smart",
        resume: bool = False,
        genes: Sequence[str] | None = None,
    ) -> Any:
        """Request a run and wait for its end."""
        created = await self.request(*sources, mode=mode, resume=resume, genes=genes)
        async with self.working():
            return await self.bench.ended(created.ref.run_id)

    async def rows(self, query: str, **values: Any) -> list[Any]:
        async with self.bench.db.connect() as connection:
            return list((await connection.execute(text(query), values)).mappings())

    async def change(self, statement: str) -> None:
        async with self.bench.db.begin() as connection:
            await connection.execute(text(statement))

    async def progress(self, run_id: int) -> dict[str, dict[str, Any]]:
        found = await self.rows(
            "SELECT * FROM run_sources WHERE run_id = :id ORDER BY position", id=run_id
        )
        return {row["source"]: dict(row) for row in found}

    async def annotation(self, symbol: str, source: str) -> dict[str, Any]:
        found = await self.rows(
            "SELECT a.* FROM annotations a JOIN genes g ON g.id = a.gene_id"
            " WHERE g.symbol = :symbol AND a.source = :source",
            symbol=symbol,
            source=source,
        )
        return dict(found[0])


@pytest.fixture
async def annotator(bench: Bench, sandbox: Sandbox, settings: Settings) -> Annotator:
    """A database with all genes of the sandbox and their identifiers."""
    async with bench.db.begin() as connection:
        await connection.execute(
            text(
                "INSERT INTO genes (hgnc_id, symbol, ensembl_gene_id, entrez_id)"
                " VALUES (:hgnc_id, :symbol, :ensembl, :entrez)"
            ),
            [
                {
                    "hgnc_id": gene.hgnc_id,
                    "symbol": gene.symbol,
                    "ensembl": gene.ensembl_gene_id,
                    "entrez": str(gene.entrez_id),
                }
                for gene in sandbox.catalogue.genes
            ],
        )
    return Annotator(bench, sandbox, settings)
