"""What a collector receives of real workers."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from harness.process import BACKEND, Process
from harness.timing import WAIT, scaled
from harness.waiting import eventually
from tests.otlp import Collector, Received, running_collector
from tests.plant import Plant

PASSWORD, KEY, TOKEN = "upstream-Passw0rd", "0123456789abcdef-key", "collector-T0ken/+="


@pytest.fixture
def collector() -> Iterator[Collector]:
    with running_collector() as running:
        yield running


@pytest.fixture
def traced(few_genes: Plant, collector: Collector) -> Plant:
    """120 genes, and workers that send traces."""
    few_genes.env["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector.address
    return few_genes


@pytest.fixture
def slow(few_genes: Plant, collector: Collector) -> Plant:
    """120 genes, and workers that need some ten seconds to ask ClinVar about them."""
    few_genes.env |= {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.address, "NCBI_RATE": "2"}
    return few_genes


async def arrives(collector: Collector, name: str, count: int = 1) -> list[Received]:
    def look() -> list[Received] | None:
        found = collector.named(name)
        return found if len(found) >= count else None

    return await eventually(look, seconds=WAIT)


def moments(plant: Plant, run_id: int) -> dict[tuple[int, str], float]:
    """When what happened to a run, by epoch and event."""
    rows = plant.rows(
        "SELECT epoch, event, extract(epoch FROM at)::float8 AS at FROM run_events"
        " WHERE run_id = %(id)s",
        id=run_id,
    )
    return {(row["epoch"], row["event"]): row["at"] for row in rows}


async def test_a_run_is_one_tree_down_to_its_requests(traced: Plant, collector: Collector) -> None:
    worker = traced.worker(OTEL_SERVICE_NAME="genes of the tests")
    run_id = traced.annotate("hgnc", "ensembl")
    await traced.ended(run_id)
    await arrives(collector, "run")
    collector.tree()
    attempt = collector.one("attempt")
    for source in (collector.one("source hgnc"), collector.one("source ensembl")):
        assert source.parent == attempt.id
        assert source.attributes["source.state"] == "succeeded"
        assert source.attributes["source.done"] == 120
    batches = {each.id: each for each in collector.named("batch")}
    assert {each.attributes["batch.size"] for each in batches.values()} == {120}
    requests = collector.named("request ensembl")
    in_batch = [each for each in requests if each.parent in batches]
    assert {each.attributes["url.path"] for each in in_batch} >= {"/lookup/id"}
    assert {each.attributes["http.request.method"] for each in in_batch} >= {"POST"}
    assert {each.attributes["server.address"] for each in requests} == {"127.0.0.1"}
    assert all(each.attributes["request.waited"] >= 0 for each in requests)
    assert {each.attributes["http.response.status_code"] for each in requests} >= {200}
    assert {each.resource["service.name"] for each in collector.spans} == {"genes of the tests"}
    assert {each.resource["process.pid"] for each in collector.spans} == {worker.pid}
    lines = [json.loads(each) for each in worker.logged().splitlines() if each.startswith("{")]
    assert {each["trace_id"] for each in lines if each.get("run") == run_id} == {attempt.trace_id}


async def test_the_attempt_of_a_killed_worker_is_told_by_another(
    slow: Plant, collector: Collector
) -> None:
    workers: dict[int, Process] = {}
    for _ in range(2):
        process = slow.worker()
        await slow.says(process, "is alive")
        workers[process.pid] = process
    run_id = slow.annotate("clinvar")
    running = await slow.until(lambda r: r["state"] == "running" and r["done"] >= 20)
    # a batch and its requests have arrived, and others are under way
    await arrives(collector, "batch")
    os.kill(running["pid"], signal.SIGKILL)
    lost, _ = await arrives(collector, "attempt", 2)
    await slow.ended(run_id)
    await arrives(collector, "run")

    collector.tree()
    happened = moments(slow, run_id)
    assert lost.attributes["attempt.outcome"] == "lost"
    assert lost.attributes["attempt.worker"] == running["worker_id"]
    assert lost.error == "lost: its session is gone"
    assert lost.began == pytest.approx(happened[1, "claimed"], abs=1e-5)
    assert lost.ended == pytest.approx(happened[1, "lost"], abs=1e-5)
    assert lost.resource["process.pid"] in workers.keys() - {running["pid"]}
    second = collector.named("attempt")[1]
    assert second.began == pytest.approx(happened[2, "taken over"], abs=1e-5)
    assert (second.attributes["attempt.outcome"], second.error) == ("succeeded", None)
    of_the_first, of_the_second = collector.named("source clinvar")
    assert of_the_first.parent == lost.id
    assert of_the_first.attributes["source.state"] == "not finished"
    assert of_the_first.error == lost.error
    assert of_the_second.attributes["source.state"] == "succeeded"
    # what the dead worker had sent itself belongs to its attempt
    by_the_dead = [e for e in collector.spans if e.resource["process.pid"] == running["pid"]]
    assert {each.parent for each in by_the_dead if each.name == "batch"} == {of_the_first.id}
    assert [each.name for each in by_the_dead if each.name == "attempt"] == []


async def test_a_run_that_the_command_line_cancels_is_told_by_a_worker(
    slow: Plant, collector: Collector
) -> None:
    # it does not succeed meanwhile
    slow.worker(NCBI_RATE="0.1")
    run_id = slow.annotate("clinvar")
    await slow.until(lambda r: r["state"] == "running")
    slow.output("cancel", str(run_id))
    (root,) = await arrives(collector, "run")
    (attempt,) = await arrives(collector, "attempt")
    assert root.attributes["run.state"] == "cancelled"
    assert attempt.attributes["attempt.outcome"] == "cancelled"
    assert root.ended == pytest.approx(attempt.ended, abs=1)


async def test_the_trace_of_a_request_over_http_is_linked(
    traced: Plant, collector: Collector
) -> None:
    caller = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
    # the API executes the run, so it sends the trace
    _, address = await traced.api(USE_ARQ_WORKER="false", ADMIN_TOKEN="a-token-of-the-tests")
    headers = {
        "Authorization": "Bearer a-token-of-the-tests",
        "traceparent": f"00-{caller[0]}-{caller[1]}-01",
    }
    async with httpx.AsyncClient(base_url=address, headers=headers, timeout=scaled(30)) as client:
        answer = await client.post("/api/admin/runs", json={"sources": ["hgnc"]})
        assert answer.status_code == 202
        run_id = answer.json()["id"]
    await traced.ended(run_id)
    (root,) = await arrives(collector, "run")
    assert root.links == [caller]
    collector.tree()


async def test_no_secret_is_in_any_span_and_the_collector_gets_its_headers(
    traced: Plant, collector: Collector
) -> None:
    traced.env["NCBI_API_KEY"] = KEY
    # percent-encoded, as the specification of the variable says
    traced.env["OTEL_EXPORTER_OTLP_HEADERS"] = "x-api-key=collector-T0ken%2F%2B%3D, x-tenant=genes"
    with_password = traced.env["NCBI_EUTILS_URL"].replace("://", f"://me:{PASSWORD}@")
    traced.env["NCBI_EUTILS_URL"] = with_password
    # and one request that fails, with the address and the key in its error
    traced.env["ENSEMBL_REST_URL"] = f"http://me:{PASSWORD}@127.0.0.1:9/{KEY}"
    worker = traced.worker(UPSTREAM_BACKOFF="0.01")
    run_id = traced.annotate("clinvar", "ensembl")
    await arrives(collector, "attempt")
    assert any(each.name == "request ncbi" for each in collector.spans)
    failed = collector.named("request ensembl")
    assert len(failed) > 1
    assert {each.attributes["http.request.resend_count"] for each in failed} >= {0, 1}
    assert all(each.error for each in failed)
    worker.stop()
    everything = b"".join(collector.raw) + worker.logged().encode()
    for secret in (PASSWORD, KEY, TOKEN, "T0ken"):
        assert secret.encode() not in everything
    assert b"api_key" not in b"".join(collector.raw)
    assert {each["x-api-key"] for each in collector.headers} == {TOKEN}
    assert {each["x-tenant"] for each in collector.headers} == {"genes"}
    assert traced.rows("SELECT state FROM runs WHERE id = %(id)s", id=run_id)


async def test_a_collector_that_does_not_answer_costs_neither_the_run_nor_the_stop(
    traced: Plant, collector: Collector
) -> None:
    collector.answers.clear()
    worker = traced.worker()
    await traced.says(worker, "is alive")
    run_id = traced.annotate("hgnc")
    run = await traced.ended(run_id)
    assert run["state"] == "succeeded"
    worker.terminate()
    # systemd and Compose give it 30 seconds
    worker.wait(scaled(30))
    assert worker.returncode == 0
    assert worker.logged().count("spans were not sent to") == 1


def modules_after(code: str, env: dict[str, str]) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}\nprint(*sys.modules)"],
        cwd=BACKEND,
        env=env,
        check=True,
        capture_output=True,
        text=True,
    )
    return set(done.stdout.split())


START = """
from app.annotation.settings import get_settings
from app.core.workers.dispatcher import InProcessDispatcher
from app.core.workers.engine import Engine
import {composition_root}
Engine(get_settings(), kind="api", dispatcher=InProcessDispatcher(), work=None)
"""


@pytest.mark.parametrize("composition_root", ["app.core.arq_worker", "app.main"])
def test_nothing_that_sends_traces_is_imported_while_they_are_off(
    plant: Plant, composition_root: str
) -> None:
    def imported(**env: Any) -> set[str]:
        found = modules_after(START.format(composition_root=composition_root), plant.env | env)
        # FastAPI imports OpenTelemetry's API itself
        names = ("opentelemetry.sdk", "opentelemetry.exporter", "google.protobuf", "requests")
        return {each for each in found if each.startswith(names)}

    assert imported() == set()
    if composition_root == "app.core.arq_worker":
        assert imported(OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9") != set()
