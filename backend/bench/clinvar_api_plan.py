"""Compares ClinVar's number of API requests with the minimum.

Run `python -m bench.clinvar_api_plan --genes 5000` in `backend/`. The variants are distributed over
the genes as ClinVar's are, with 17,000 in one gene.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from app.annotation.refresh.batches import batches
from app.annotation.settings import Settings
from app.annotation.sources.answers import Gene
from app.annotation.sources.clinvar.source import ClinVar
from app.annotation.sources.connector import Connector
from app.annotation.upstream import new_http_client
from app.core.redis.rate_limits import LocalRateLimiter
from sandbox import Options, Sandbox

_PAGE = 500
_TARGET = 1.1


@click.command()
@click.option("--genes", type=click.IntRange(1), default=5_000, show_default=True)
@click.option("--variants", type=click.IntRange(1), default=40, show_default=True)
def main(genes: int, variants: int) -> None:
    """Measure, and exit with 1 if there are too many requests."""
    options = Options(genes=genes, variants_per_gene=variants, skew="clinvar", limits="off")
    with Sandbox(options) as sandbox, TemporaryDirectory() as folder:
        seconds, requests = asyncio.run(_ask_all(sandbox, Path(folder)))
        catalogue = sandbox.catalogue
        distinct = len({place for g in catalogue.genes for place in catalogue.variants_of(g)})
        searches = sandbox.stats()["requests"]["clinvar.esearch"]
    least = searches + -(-distinct // _PAGE)
    click.echo(
        f"{genes:,} genes, {distinct:,} variants: {requests:,} requests; the least is"
        f" {searches} searches + {least - searches} pages ({requests / least:.3f} x);"
        f" {seconds:.1f} s ({genes / seconds:.0f} genes/s)"
    )
    if requests > _TARGET * least:
        raise SystemExit(1)


async def _ask_all(sandbox: Sandbox, folder: Path) -> tuple[float, int]:
    addresses = {name.lower(): value for name, value in sandbox.settings.items()}
    settings = Settings(_env_file=None, cache_dir=folder, **addresses)  # type: ignore[call-arg, arg-type]
    started = time.perf_counter()
    async with new_http_client() as http:
        source = ClinVar(Connector(settings, LocalRateLimiter(), http))
        slots = asyncio.Semaphore(source.info.concurrency)

        async def ask(genes: list[Gene]) -> None:
            async with slots:
                await source.annotate(genes)

        async with asyncio.TaskGroup() as group:
            async for batch in batches(_pages(sandbox), source):
                group.create_task(ask(batch.genes))
        return time.perf_counter() - started, source.requests


async def _pages(sandbox: Sandbox) -> AsyncIterator[list[Gene]]:
    genes = sandbox.catalogue.genes
    for start in range(0, len(genes), 1_000):
        yield [
            Gene(gene.index, gene.hgnc_id, gene.symbol, gene.ensembl_gene_id, gene.entrez_id)
            for gene in genes[start : start + 1_000]
        ]


if __name__ == "__main__":
    main()
