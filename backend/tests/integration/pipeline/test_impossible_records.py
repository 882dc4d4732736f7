"""A record that PostgreSQL cannot store is a data error, not an unavailable PostgreSQL."""

import random
import string
from collections.abc import Iterator
from contextlib import aclosing
from typing import Any

import pytest

from app.annotation.genes.importing import import_genes
from app.annotation.refresh.requests import request_run
from app.annotation.settings import Settings
from app.annotation.sources.connector import Connector
from app.annotation.upstream import new_http_client
from app.core.arq.client_jobs import ClientJobs
from app.core.arq.queue_page import ClientJob
from app.core.errors import UserError
from app.core.redis.rate_limits import LocalRateLimiter
from app.core.runs.operations import Created
from app.core.runs.request import RunRequest
from app.core.workers.dispatcher import InProcessDispatcher
from sandbox.server import Sandbox
from tests.integration.pipeline.conftest import GENES, Annotator
from tests.integration.pipeline.mirror import Mirror
from tests.people import ADA

# random letters: an index entry is compressed before it is too long
SYMBOL = "".join(random.Random(1).choices(string.ascii_letters, k=9_000))


@pytest.fixture
def mirror(sandbox: Sandbox) -> Iterator[Mirror]:
    with Mirror(sandbox.url) as mirror:
        yield mirror


@pytest.fixture
def settings(settings: Settings, mirror: Mirror) -> Settings:
    values = settings.model_dump() | {
        "hgnc_rest_url": f"{mirror.url}/hgnc",
        "hgnc_files_url": f"{mirror.url}/hgnc-files",
    }
    return Settings(**values, _env_file=None)


@pytest.mark.parametrize("threshold", [0, 1_000_000], ids=["file", "api"])
async def test_a_gene_whose_record_cannot_be_stored_is_unknown_and_the_run_ends(
    annotator: Annotator, mirror: Mirror, threshold: int
) -> None:
    annotator.bench.settings = annotator.bench.settings.model_copy(
        update={"hgnc_bulk_threshold": threshold}
    )
    mirror.changes["/fetch/hgnc_id/HGNC:9008$"] = lambda body: body.replace(
        b'"PKD1"', f'"{SYMBOL}"'.encode()
    )
    mirror.changes["hgnc_complete_set.txt$"] = lambda body: body.replace(
        b"HGNC:9008\tPKD1\t", f"HGNC:9008\t{SYMBOL}\t".encode()
    )
    run = await annotator.run("hgnc")
    assert (run.state, run.attempts) == ("succeeded", 1)
    counted = (await annotator.progress(run.id))["hgnc"]
    assert (counted["found"], counted["unknown"]) == (GENES - 1, 1)
    pkd1 = await annotator.annotation("PKD1", "hgnc")
    assert pkd1["checked_state"] == "unknown"
    assert pkd1["reason"].startswith("PostgreSQL cannot store the answer: index row")


async def test_an_import_reports_a_gene_that_cannot_be_stored(
    annotator: Annotator, mirror: Mirror
) -> None:
    mirror.changes["hgnc_complete_set.txt$"] = lambda body: body.replace(
        b"HGNC:9008\tPKD1\t", f"HGNC:9008\t{SYMBOL}\t".encode()
    )
    async with new_http_client() as http:
        connect = Connector(annotator.bench.settings, LocalRateLimiter(window=0), http)
        with pytest.raises(UserError, match="cannot store"):
            await import_genes("hgnc", engine=annotator.bench.db, connect=connect)


async def test_a_clients_job_whose_id_cannot_be_stored_fails_and_no_other_fails_with_it(
    annotator: Annotator, caplog: pytest.LogCaptureFixture
) -> None:
    async def request(asked: RunRequest, **more: Any) -> Created:
        return await request_run(
            annotator.bench.db,
            InProcessDispatcher(),
            asked,
            enabled=annotator.enabled,
            **more,
            actor=ADA,
        )

    client_jobs = ClientJobs(annotator.bench.db, request)
    jobs = [ClientJob(job_id, "run_pipeline_task", ["hgnc"], {}) for job_id in (SYMBOL, "good")]
    async with aclosing(client_jobs.handle(jobs)) as answers:
        assert [list(ids) async for ids in answers] == [[SYMBOL, "good"]]
    assert "index row" in caplog.text
    assert [row["arq_job_id"] for row in await annotator.rows("SELECT * FROM runs")] == ["good"]
