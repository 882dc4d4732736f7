"""What a collector receives of engines in this process."""

import asyncio
import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text

from app.core.errors import INSTALL_TRACES, UserError, Wait
from app.core.process import logs, tracing
from app.core.process.tracing import ids
from app.core.process.tracing.kinds import BATCH, KINDS
from app.core.runs import ended_spans, operations
from app.core.runs.attempt import Attempt
from app.core.runs.request import RunRequest
from harness.timing import limit
from tests.integration.conftest import Bench, Query, commit
from tests.otlp import Collector, running_collector
from tests.people import ADA

CALLER = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
ATTRIBUTES = {kind.name: set(kind.attributes) for kind in KINDS}


@pytest.fixture
def collector() -> Iterator[Collector]:
    with running_collector() as running:
        yield running
    for span in running.spans:
        known = [kind for kind in KINDS if f"{span.name} ".startswith(f"{kind.name} ")]
        assert any(set(span.attributes) <= set(kind.attributes) for kind in known), span


@pytest.fixture
def traced(bench: Bench, collector: Collector) -> Bench:
    """Engines that send traces."""
    changed = {"otel_exporter_otlp_endpoint": collector.address}
    bench.settings = bench.settings.model_copy(update=changed)
    return bench


async def work(attempt: Attempt) -> None:
    """Work with a source and a batch."""
    with tracing.within_source("a"), tracing.span(BATCH, {"batch.size": 1}):
        await commit(attempt)


async def forever(attempt: Attempt) -> None:
    await work(attempt)
    await asyncio.Event().wait()


def outcomes(collector: Collector) -> list[tuple[str, bool]]:
    """Return the outcomes of the attempts, and whether they are errors."""
    attempts = collector.named("attempt")
    return [(each.attributes["attempt.outcome"], each.error is not None) for each in attempts]


async def test_a_run_that_succeeds_is_a_tree_of_spans(traced: Bench, collector: Collector) -> None:
    run_id = (await traced.request(["a"])).ref.run_id
    async with traced.worker(work) as engine:
        run = await traced.ended(run_id)
        worker = engine.liveness.worker_id
    collector.tree()
    root, attempt = collector.one("run"), collector.one("attempt")
    assert root.attributes["run.state"] == "succeeded"
    assert root.attributes["run.sources"] == "a"
    assert (root.began, root.ended) == pytest.approx(
        (run.created_at.timestamp(), run.finished_at.timestamp()), abs=0.5
    )
    assert attempt.parent == root.id
    assert (attempt.attributes["attempt.epoch"], attempt.attributes["attempt.worker"]) == (
        1,
        worker,
    )
    assert collector.one("source a").parent == attempt.id
    assert collector.one("batch").parent == collector.one("source a").id
    assert [each.error for each in collector.spans] == [None] * 4
    assert {each.resource["service.name"] for each in collector.spans} == {"kidney-genetics"}


async def test_the_id_of_the_trace_follows_from_the_installation_and_the_run(
    traced: Bench, collector: Collector, query: Query
) -> None:
    run_id = (await traced.request(["a"])).ref.run_id
    async with traced.worker(work):
        await traced.ended(run_id)
    (here,) = query(
        "SELECT system_identifier || ':' || d.oid || ':' || 'runs'::regclass::oid AS id"
        " FROM pg_control_system(), pg_database d WHERE d.datname = current_database()"
    )
    assert collector.one("run").trace_id == ids.as_text(ids.trace_of(here["id"], run_id))


async def test_every_end_of_an_attempt_is_traced_as_it_is_recorded(
    traced: Bench, collector: Collector
) -> None:
    errors = iter([Wait("ncbi", 0.0, "it is down"), ValueError("a bug"), UserError("no way")])

    async def fail(attempt: Attempt) -> None:
        await work(attempt)
        raise next(errors)

    run_id = (await traced.request(["a"])).ref.run_id
    async with traced.worker(fail, run_backoff_base=0.01):
        await traced.ended(run_id)
    collector.tree()
    assert outcomes(collector) == [("waiting", False), ("attempt failed", True), ("failed", True)]
    waiting, bug, last = collector.named("attempt")
    assert waiting.attributes["attempt.waiting_for"] == "ncbi"
    assert bug.error == "attempt failed: ValueError: a bug"
    assert last.error == "failed: no way"
    root = collector.one("run")
    assert (root.error, root.attributes["run.attempts"]) == ("no way", 2)
    states = [each.attributes["source.state"] for each in collector.named("source a")]
    assert states == ["not finished"] * 3


async def test_an_interrupted_attempt_is_traced_by_its_worker_and_no_run_has_ended(
    traced: Bench, collector: Collector
) -> None:
    run_id = (await traced.request(["a"])).ref.run_id
    async with traced.worker(forever):
        await traced.until(run_id, lambda run: run.progressed_at is not None)
    assert outcomes(collector) == [("interrupted", False)]
    assert collector.named("run") == []
    async with traced.worker(work):
        await traced.ended(run_id)
    collector.tree()
    assert outcomes(collector) == [("interrupted", False), ("succeeded", False)]


async def test_a_cancelled_run_is_reported_wherever_it_was_cancelled(
    traced: Bench, collector: Collector
) -> None:
    running = (await traced.request(["a"])).ref.run_id
    async with traced.worker(forever, slots=1):
        await traced.until(running, lambda run: run.progressed_at is not None)
        queued = (await traced.request(["b"])).ref.run_id
        async with traced.db.begin() as connection:
            for run_id in (running, queued):
                await operations.cancel(connection, run_id, actor=ADA)
        async with limit():
            while len(collector.named("run")) < 2:
                await asyncio.sleep(0.02)
    by_run = {each.attributes["run.id"]: each for each in collector.named("run")}
    assert {each.attributes["run.state"] for each in by_run.values()} == {"cancelled"}
    assert by_run.keys() == {running, queued}
    assert by_run[running].trace_id != by_run[queued].trace_id
    assert outcomes(collector) == [("cancelled", False)]


@pytest.mark.parametrize("sent_before", [True, False])
async def test_spans_after_a_retry_belong_to_the_same_trace(
    traced: Bench, collector: Collector, *, sent_before: bool
) -> None:
    errors = iter([UserError("no way"), None])

    async def fail_once(attempt: Attempt) -> None:
        await work(attempt)
        if (error := next(errors)) is not None:
            raise error

    run_id = (await traced.request(["a"])).ref.run_id
    off = {} if sent_before else {"otel_exporter_otlp_endpoint": None}
    async with traced.worker(fail_once, **off):
        await traced.ended(run_id)
    async with traced.db.begin() as connection:
        await operations.retry(connection, run_id, actor=ADA)
    async with traced.worker(fail_once):
        await traced.until(run_id, lambda run: run.state == "succeeded")
    collector.tree()
    first, again = collector.one("run"), collector.one("run reopened")
    assert (first.error, again.error) == ("no way", None)
    assert first.attributes["run.state"] == "failed"
    assert again.parent == first.id
    assert first.ended <= again.began <= again.ended
    assert outcomes(collector) == [("failed", True), ("succeeded", False)]


async def test_workers_side_by_side_send_each_span_once(
    traced: Bench, collector: Collector
) -> None:
    async with traced.worker(work), traced.worker(work), traced.worker(work):
        run_ids = [(await traced.request([f"s{n}"])).ref.run_id for n in range(20)]
        for run_id in run_ids:
            await traced.ended(run_id)
    assert sorted(each.attributes["run.id"] for each in collector.named("run")) == sorted(run_ids)
    assert len({each.id for each in collector.spans}) == len(collector.spans) == 4 * len(run_ids)
    assert len({each.trace_id for each in collector.spans}) == len(run_ids)


async def test_what_ended_long_before_traces_were_enabled_is_not_traced(
    traced: Bench, collector: Collector, query: Query
) -> None:
    for name in ("a", "b"):
        await traced.request([name])
    query("UPDATE runs SET state = 'failed', finished_at = now() - interval '1 day' WHERE id = 1")
    async with traced.worker(work):
        await traced.ended(2)
    assert [each.attributes["run.id"] for each in collector.named("run")] == [2]


@pytest.mark.parametrize(("sent", "kept"), [(CALLER, True), (CALLER.upper(), False), (None, False)])
async def test_the_run_links_to_the_request_that_created_it_if_its_traceparent_is_valid(
    traced: Bench, collector: Collector, *, sent: str | None, kept: bool
) -> None:
    async with traced.db.begin() as connection:
        asked = RunRequest.of(["a"])
        run_id = (
            await operations.create(connection, asked, ["a"], traceparent=sent, actor=ADA)
        ).ref.run_id
    async with traced.worker(work):
        run = await traced.ended(run_id)
    assert run.traceparent == (CALLER if kept else None)
    _, trace_id, span_id, _ = CALLER.split("-")
    assert collector.one("run").links == ([(trace_id, span_id)] if kept else [])
    assert collector.one("run").trace_id != trace_id


@pytest.mark.usefixtures("own_logging")
async def test_lines_about_a_run_have_the_id_of_its_trace_only_while_traces_are_on(
    traced: Bench, collector: Collector, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure("INFO", people=False)

    async def lines(run_id: int, **settings: Any) -> list[dict[str, Any]]:
        async with traced.worker(work, **settings):
            await traced.ended(run_id)
        written = map(json.loads, capsys.readouterr().err.splitlines())
        return [each for each in written if each.get("run") == run_id]

    first = await lines((await traced.request(["a"])).ref.run_id)
    trace_id = collector.one("run").trace_id
    assert {each.get("trace_id") for each in first} == {trace_id}
    second = await lines((await traced.request(["a"])).ref.run_id, otel_exporter_otlp_endpoint=None)
    assert {"trace_id" in each for each in second} == {False}


async def test_a_failing_collector_does_not_affect_runs(
    traced: Bench, collector: Collector, caplog: pytest.LogCaptureFixture
) -> None:
    collector.status = 500
    caplog.set_level(logging.WARNING)
    async with traced.worker(work):
        for name in "abc":
            run = await traced.ended((await traced.request([name])).ref.run_id)
            assert run.state == "succeeded"
    messages = [line for line in caplog.messages if "spans" in line]
    assert len(messages) == 2
    assert "500" in messages[0]
    assert "spans were not sent to" in messages[1]


async def test_a_missing_collector_does_not_affect_runs(
    traced: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    async with traced.worker(work, otel_exporter_otlp_endpoint="http://127.0.0.1:9"):
        run = await traced.ended((await traced.request(["a"])).ref.run_id)
    assert run.state == "succeeded"
    assert any("not sent" in line or "dropping" in line for line in caplog.messages)


async def test_without_the_packages_an_engine_with_traces_does_not_start(
    traced: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "meta_path", [_Without("opentelemetry"), *sys.meta_path])
    for name in [each for each in sys.modules if each.startswith("opentelemetry")]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(UserError, match="not installed") as refused:
        async with traced.worker(work):
            pass
    assert refused.value.steps == (INSTALL_TRACES,)
    run_id = (await traced.request(["a"])).ref.run_id
    async with traced.worker(work, otel_exporter_otlp_endpoint=None):
        assert (await traced.ended(run_id)).state == "succeeded"


class _Without:
    """An import hook that hides a package."""

    def __init__(self, package: str) -> None:
        self._package = package

    def find_spec(self, name: str, *_: object) -> None:
        if name.partition(".")[0] == self._package:
            raise ModuleNotFoundError(name=name)


async def test_reading_the_table_scans_no_table_of_runs(traced: Bench, query: Query) -> None:
    query(
        "INSERT INTO runs (task, mode, state, finished_at)"
        " SELECT 'x', 'smart', 'succeeded', now() - n * interval '1 hour'"
        " FROM generate_series(1, 5000) n"
    )
    query("ANALYZE runs")
    async with traced.db.connect() as connection:
        plan = await connection.execute(
            text(f"EXPLAIN {ended_spans._ENDED}"), {"max_age": ended_spans._MAX_AGE}
        )
        assert "Seq Scan on runs" not in "\n".join(plan.scalars())
