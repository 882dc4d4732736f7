"""USE_ARQ_WORKER=False: the API executes the runs itself, against the sandbox."""

import asyncio
from typing import Any

import httpx
import pytest

from app.annotation.settings import Settings
from harness.timing import limit
from tests.integration.api.proxy import Proxy

RUNS = "/api/admin/runs"


@pytest.fixture
def settings(settings: Settings, sandbox, genes) -> Settings:
    values = {name.lower(): value for name, value in sandbox.settings.items()}
    return Settings(**settings.model_dump() | values, _env_file=None)


async def until(client: httpx.AsyncClient, run_id: int, *states: str) -> Any:
    async with limit():
        while True:
            run = (await client.get(f"{RUNS}/{run_id}")).json()
            if run["state"] in states:
                return run
            await asyncio.sleep(0.05)


async def test_it_executes_what_it_accepts(serve, settings) -> None:
    async with serve(settings) as client:
        run_id = (await client.post(RUNS, json={"sources": ["ensembl"]})).json()["id"]
        run = await until(client, run_id, "succeeded", "failed")
        status = (await client.get("/api/admin/worker-status")).json()
        gene = (await client.get("/api/genes/PKD1")).json()
    assert run["state"] == "succeeded"
    assert run["progress"][0]["done"] == run["progress"][0]["total"] == 3
    assert [(w["kind"], w["alive"]) for w in status["workers"]] == [("api", True)]
    assert gene["annotations"]["ensembl"]["state"] == "found"


async def test_a_stop_requeues_the_run_and_the_next_start_continues_it(
    serve, settings, sandbox, query
) -> None:
    sandbox.fault("ensembl", "hang")
    async with serve(settings) as client:
        run_id = (await client.post(RUNS, json={"sources": ["ensembl"]})).json()["id"]
        await until(client, run_id, "running")
    (stopped,) = query("SELECT state, interruptions, attempts FROM runs")
    assert stopped == {"state": "queued", "interruptions": 1, "attempts": 1}
    sandbox.clear_faults()
    async with serve(settings) as client:
        run = await until(client, run_id, "succeeded", "failed")
    assert (run["state"], run["attempts"]) == ("succeeded", 1)


async def test_a_run_that_is_executed_is_cancelled_within_seconds(serve, settings, sandbox) -> None:
    sandbox.fault("ensembl", "hang")
    async with serve(settings) as client:
        run_id = (await client.post(RUNS, json={"sources": ["ensembl"]})).json()["id"]
        await until(client, run_id, "running")
        answer = await client.post(f"{RUNS}/{run_id}/cancel")
        assert answer.status_code == 202
        sandbox.clear_faults()
        # its slot and its source are free again
        again = (await client.post(RUNS, json={"sources": ["ensembl"]})).json()["id"]
        assert (await until(client, again, "succeeded", "failed"))["state"] == "succeeded"
        assert (await client.get(f"{RUNS}/{run_id}")).json()["state"] == "cancelled"


async def test_one_process_at_a_time_executes(serve, settings) -> None:
    async with serve(settings) as first, serve(settings) as second:
        run_id = (await second.post(RUNS, json={"sources": ["ensembl"]})).json()["id"]
        run = await until(first, run_id, "succeeded", "failed")
        workers = (await first.get("/api/admin/worker-status")).json()["workers"]
    assert run["state"] == "succeeded"
    assert len(workers) == 2
    assert run["worker"]["id"] == min(worker["id"] for worker in workers)


async def test_a_run_continues_after_an_outage_of_the_database(serve, settings, sandbox) -> None:
    proxy = Proxy(settings.database_url.get_secret_value())
    await proxy.open()
    sandbox.fault("ensembl", "slow", seconds=2)
    async with serve(settings.model_copy(update={"database_url": proxy.dsn})) as client:
        run_id = (await client.post(RUNS, json={"sources": ["ensembl"]})).json()["id"]
        await until(client, run_id, "running")
        await proxy.cut()
        assert (await client.get("/health/ready")).status_code == 503
        await proxy.open()
        run = await until(client, run_id, "succeeded", "failed")
    await proxy.cut()
    assert (run["state"], run["attempts"], run["progress"][0]["done"]) == ("succeeded", 1, 3)
