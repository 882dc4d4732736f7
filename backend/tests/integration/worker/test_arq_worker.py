import asyncio
import importlib
import pickle
import signal
import sys
from typing import Any

import pytest
from arq.connections import ArqRedis
from arq.constants import job_key_prefix, result_key_prefix
from arq.worker import create_worker

from app.annotation.settings import get_settings
from harness.timing import WAIT, limit, scaled
from tests.plant import QUEUE, Plant


def complete(plant: Plant) -> list[dict[str, Any]]:
    """Per source: the genes with an answer of the last run, and those without."""
    return plant.rows(
        "SELECT s.source, count(a.gene_id) AS answered, count(*) - count(a.gene_id) AS missing"
        " FROM genes g CROSS JOIN run_sources s LEFT JOIN annotations a ON a.gene_id = g.id"
        " AND a.source = s.source AND a.checked_run_id = s.run_id AND a.state <> 'unknown'"
        " GROUP BY 1 ORDER BY 1"
    )


async def test_arq_uses_our_timeouts_keys_and_serializers(
    monkeypatch: pytest.MonkeyPatch, database_url: str, redis_url: str
) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("REDIS_URL", redis_url)
    monkeypatch.setenv("ARQ_MAX_JOBS", "7")
    get_settings.cache_clear()
    # the guard would replace the stderr of all other tests
    monkeypatch.setattr("app.core.process.guard.guard", lambda: None)
    # the module reads the settings when it is imported, and another test may have imported it
    monkeypatch.delitem(sys.modules, "app.core.arq_worker", raising=False)
    settings = importlib.import_module("app.core.arq_worker").WorkerSettings

    worker = create_worker(settings, handle_signals=False)
    limits = {name: f.timeout_s for name, f in worker.functions.items()}
    assert limits == {"run_pipeline_task": 7_260, "run_annotation_pipeline_task": 21_660}
    assert all(f.keep_result_s == 0 for f in worker.functions.values())
    assert worker.keep_result_s == 0
    assert worker.queue_name == QUEUE
    assert worker.health_check_key == "arq:health-check"
    assert worker.health_check_interval <= 5
    assert worker.max_jobs == 7
    assert all(f.max_tries == sys.maxsize for f in worker.functions.values())
    # an aborted id would end a later wake-up, and a hook that raises would end the worker
    assert not worker.allow_abort_jobs
    assert (worker.on_job_start, worker.on_job_end, worker.after_job_end) == (None, None, None)
    with pytest.raises(Exception, match="JSON"):
        worker.job_deserializer(pickle.dumps({"f": "run_pipeline_task"}))
    await worker.pool.aclose(close_connection_pool=True)


@pytest.mark.usefixtures("as_from_a_shell")
async def test_a_stopped_worker_interrupts_its_run_and_the_next_one_misses_no_gene(
    few_genes: Plant,
) -> None:
    # ClinVar must still be running when the signals arrive
    few_genes.env["NCBI_RATE"] = "3"
    first = few_genes.worker()
    assert few_genes.cli("annotate").returncode == 0
    await few_genes.until(lambda r: r["state"] == "running" and r["done"] > 240)
    few_genes.env["NCBI_RATE"] = "20"
    for each in (signal.SIGHUP, signal.SIGTERM):
        first.send_signal(each)
    assert await asyncio.to_thread(first.wait, scaled(WAIT)) == 0
    run = await few_genes.until(lambda r: r["state"] == "queued")
    assert (run["interruptions"], run["attempts"]) == (1, 1)
    few_genes.worker()
    run = await few_genes.ended()
    assert (run["state"], run["interruptions"], run["attempts"]) == ("succeeded", 1, 1)
    assert [(r["source"], r["answered"], r["missing"]) for r in complete(few_genes)] == [
        ("clinvar", 120, 0),
        ("ensembl", 120, 0),
        ("hgnc", 120, 0),
    ]


async def test_a_job_that_a_client_enqueues_becomes_one_run(
    few_genes: Plant, arq_redis: ArqRedis
) -> None:
    await arq_redis.enqueue_job("run_pipeline_task", "ensembl", _job_id="mine")
    worker = few_genes.worker()
    run = await few_genes.ended()
    assert (run["state"], run["sources"], run["task"]) == (
        "succeeded",
        ["ensembl"],
        "run_pipeline_task",
    )
    await arq_redis.enqueue_job("run_pipeline_task", "ensembl", _job_id="mine")
    async with limit():
        while few_genes.log(worker).count("job mine became run") < 2:
            await asyncio.sleep(0.05)
    assert len(few_genes.rows("SELECT id FROM runs")) == 1


async def test_a_job_of_a_client_joins_an_active_run_that_covers_it(
    few_genes: Plant, arq_redis: ArqRedis
) -> None:
    assert few_genes.cli("annotate").returncode == 0
    await arq_redis.enqueue_job("run_pipeline_task", "clinvar", _job_id="covered")
    await arq_redis.enqueue_job("run_pipeline_task", "clinvar", mode="full", _job_id="not")
    worker = few_genes.worker(ARQ_MAX_JOBS="3")
    async with limit():
        while not all(
            said in few_genes.log(worker)
            for said in ("job covered became run 1", "job not is refused")
        ):
            await asyncio.sleep(0.05)
    run = await few_genes.ended()
    assert (run["id"], run["state"]) == (1, "succeeded")
    assert len(few_genes.rows("SELECT id FROM runs")) == 1


async def test_a_refused_job_leaves_no_keys_and_the_worker_goes_on(
    few_genes: Plant, arq_redis: ArqRedis
) -> None:
    for job_id, value in (
        ("pickle", pickle.dumps({"t": 1, "f": "run_pipeline_task", "a": (), "k": {}, "et": 0})),
        ("junk", b"\xff\x00junk"),
        (
            "century",
            b'{"t": null, "f": "run_pipeline_task", "a": ["hgnc"], "k": {}, "et": 1%s}'
            % (b"0" * 17),
        ),
        ("types", b'{"t": 1, "f": 5, "a": {}, "k": [], "et": "x"}'),
        ("unknown", b'{"t": null, "f": "os.system", "a": ["true"], "k": {}, "et": 1}'),
        ("9:9", b'{"t": null, "f": "run_pipeline_task", "a": ["hgnc"], "k": {}, "et": 1}'),
    ):
        await arq_redis.set(job_key_prefix + job_id, value)
        await arq_redis.zadd(QUEUE, {job_id: 1})
    await arq_redis.lpush(job_key_prefix + "list", "x")
    await arq_redis.zadd(QUEUE, {b"\xff\xfe": 1, "list": 1})
    worker = few_genes.worker()
    async with limit():
        while await arq_redis.zcard(QUEUE):
            await asyncio.sleep(0.05)
    assert few_genes.rows("SELECT id FROM runs") == []
    assert await arq_redis.keys(result_key_prefix + "*") == []
    assert few_genes.cli("annotate", "ensembl").returncode == 0
    assert (await few_genes.ended())["state"] == "succeeded"
    assert worker.poll() is None
