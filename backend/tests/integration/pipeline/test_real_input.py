from pathlib import Path

from sqlalchemy import text

from app.annotation.genes.importing import import_genes
from app.annotation.refresh.pipeline import Pipeline
from app.annotation.refresh.requests import request_run
from app.annotation.settings import Settings
from app.annotation.sources.connector import Connector
from app.annotation.upstream import new_http_client
from app.core.runs.request import RunRequest
from app.core.workers.dispatcher import InProcessDispatcher
from sandbox.options import Options
from sandbox.server import Sandbox
from tests.hurried import Hurried
from tests.integration.conftest import Bench
from tests.people import ADA

SOURCES = ["hgnc", "ensembl", "clinvar", "gnomad", "gencc", "gtex", "pubmed"]
"""Sources for each kind of identifier, with and without a file."""


async def test_the_real_kidney_genes_are_imported_and_annotated(
    bench: Bench, shared_data: Path, tmp_path: Path
) -> None:
    genes = shared_data / "genes" / "kidney_genes.tsv"
    options = Options(
        gene_list=genes,
        gene_specific_summary=shared_data / "clinvar" / "gene_specific_summary.2021-11-07.txt",
        variants_per_gene=5,
        limits="off",
        cache_dir=tmp_path,
    )
    with Sandbox(options) as sandbox:
        values = {name.lower(): value for name, value in sandbox.settings.items()}
        settings = Settings(**{**bench.settings.model_dump(), **values}, _env_file=None)
        limiter = Hurried()
        async with new_http_client() as http:
            report = await import_genes(
                genes, engine=bench.db, connect=Connector(settings, limiter, http)
            )
        assert (report.imported, report.problems) == (3_066, [])
        bench.settings = settings.model_copy(update={"clinvar_bulk_threshold": 10_000})
        created = await request_run(
            bench.db,
            InProcessDispatcher(),
            RunRequest.of(SOURCES),
            enabled=settings.enabled_sources,
            actor=ADA,
        )
        pipeline = Pipeline(bench.settings, limiter)
        async with bench.worker(pipeline.run):
            run = await bench.ended(created.ref.run_id)
        await pipeline.close()
    assert (run.state, run.error) == ("succeeded", None)
    async with bench.db.connect() as connection:
        counted = await connection.execute(
            text("SELECT source, count(*) FROM annotations WHERE state <> 'unknown' GROUP BY 1")
        )
        answered = dict(counted.all())
        found = await connection.execute(
            text("SELECT count(*) FROM genes WHERE ensembl_gene_id IS NULL")
        )
        without_ensembl_id = found.scalar_one()
    assert without_ensembl_id == 29
    by_ensembl_id = dict.fromkeys(("gnomad", "gtex"), 3_066 - 29)
    assert answered == dict.fromkeys(SOURCES, 3_066) | by_ensembl_id
