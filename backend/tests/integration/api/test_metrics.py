"""What Prometheus scrapes."""

import re
import time
from collections.abc import Iterable

import httpx
import pytest
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import make_url

from app import __version__
from app.core.runs import totals
from app.core.workers.liveness import Liveness
from app.core.workers.timing import Timing
from harness.timing import WAIT, scaled
from tests.integration.api.proxy import Proxy
from tests.integration.api.test_outages import NOWHERE

PREFIX = "kidney_genetics_"


def samples(text: str) -> dict[str, float]:
    """Values by name and labels, without the prefix: `runs{state=queued}`."""
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = ",".join(f"{key}={value}" for key, value in sample.labels.items())
            name = sample.name.removeprefix(PREFIX) + (f"{{{labels}}}" if labels else "")
            assert name not in found
            found[name] = sample.value
    return found


async def scrape(client: httpx.AsyncClient) -> dict[str, float]:
    answer = await client.get("/metrics", headers={"Authorization": ""})
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    return samples(answer.text)


def chosen(seen: dict[str, float], names: Iterable[str]) -> dict[str, float]:
    return {name: seen[name] for name in names}


async def test_a_missing_count_is_0_so_that_an_alert_can_compare_it(api) -> None:
    seen = await scrape(api)
    expected = {
        "postgresql_up": 1,
        "redis_up": 1,
        "workers_alive{kind=arq}": 0,
        "workers_alive{kind=api}": 0,
        "queue_depth": 0,
        "queue_oldest_waiting_seconds": 0,
        "running_oldest_seconds": 0,
        "running_idle_seconds": 0,
        "runs{state=queued}": 0,
        "runs{state=failed}": 0,
        "attempts_failed_total": 0,
        "attempts_lost_total": 0,
        "attempts_interrupted_total": 0,
        "genes": 3,
        "annotations{source=clinvar,state=found}": 0,
        "annotations_unanswered{source=clinvar}": 0,
        f"build_info{{version={__version__}}}": 1,
    }
    assert chosen(seen, expected) == expected


async def test_it_counts_the_workers_that_are_alive(api, database_url, query) -> None:
    workers = [Liveness(database_url, kind="arq", timing=Timing()) for _ in range(3)]
    for worker in workers:
        await worker.connect()
    reconnected, dead, frozen = workers
    await reconnected.drop()
    await reconnected.connect()
    await dead.drop()
    query("UPDATE workers SET heartbeat_at = now() - interval '40 s' WHERE id = %s",
          frozen.worker_id)  # fmt: skip
    assert (await scrape(api))["workers_alive{kind=arq}"] == 1
    for worker in workers:
        await worker.stop()
    assert (await scrape(api))["workers_alive{kind=arq}"] == 0


async def test_it_shows_what_each_run_waits_for_and_how_long(api, query) -> None:
    for source in ("hgnc", "ensembl"):
        await api.post("/api/admin/runs", json={"sources": [source]})
    query("UPDATE runs SET waiting_for = 'ensembl' WHERE sources = ARRAY['ensembl']")
    query("UPDATE run_events SET at = at - interval '10 min'"
          " WHERE run_id = (SELECT min(id) FROM runs)")  # fmt: skip
    seen = await scrape(api)
    assert (seen["queue_depth"], seen["runs{state=queued}"]) == (2, 2)
    assert 600 <= seen["queue_oldest_waiting_seconds"] < 600 + scaled(WAIT)
    status = (await api.get("/api/admin/worker-status")).json()
    assert status["queue_depth"] == seen["queue_depth"]
    assert status["oldest_waiting"] == pytest.approx(
        seen["queue_oldest_waiting_seconds"], abs=scaled(WAIT)
    )
    assert {n: v for n, v in seen.items() if "waiting_for" in n} == {
        "runs_waiting{waiting_for=ensembl}": 1
    }


async def test_a_run_that_gets_nowhere_shows(api, query) -> None:
    for source in ("hgnc", "ensembl"):
        await api.post("/api/admin/runs", json={"sources": [source]})
    query(
        "UPDATE runs SET state = 'running', started_at = now() - interval '2 h',"
        " attempt_started_at = now() - interval '1 h', progressed_at = now()"
    )
    assert (await scrape(api))["running_idle_seconds"] < scaled(WAIT)
    query("UPDATE runs SET progressed_at = now() - interval '10 min' WHERE id ="
          " (SELECT min(id) FROM runs)")  # fmt: skip
    seen = await scrape(api)
    assert 7_200 <= seen["running_oldest_seconds"] < 7_200 + scaled(WAIT)
    assert 600 <= seen["running_idle_seconds"] < 600 + scaled(WAIT)
    # what an earlier attempt did is no sign of life, and no proof of idleness either
    query("UPDATE runs SET attempt_started_at = now(), progressed_at = now() - interval '9 h'")
    assert (await scrape(api))["running_idle_seconds"] < scaled(WAIT)


async def test_outcomes_of_attempts_are_counted_and_never_decrease(api, query) -> None:
    run = (await api.post("/api/admin/runs", json={"sources": ["hgnc"]})).json()["id"]
    query("UPDATE runs SET state = 'failed'")
    happened = {"attempt failed": 2, "timed out": 1, "lost": 2, "interrupted": 5, "failed": 1}
    for event, times in happened.items():
        query("INSERT INTO run_events (run_id, epoch, event) SELECT %s, 1, %s"
              " FROM generate_series(1, %s)", run, event, times)  # fmt: skip
    totals = {
        "attempts_failed_total": 3,
        "attempts_lost_total": 2,
        "attempts_interrupted_total": 5,
        "runs_ended_total{state=failed}": 1,
        "runs_ended_total{state=succeeded}": 0,
    }
    assert chosen(await scrape(api), totals) == totals
    assert (await api.post(f"/api/admin/runs/{run}/retry")).status_code == 202
    seen = await scrape(api)
    assert chosen(seen, totals) == totals
    assert (seen["runs{state=failed}"], seen["runs{state=queued}"]) == (0, 1)


async def test_it_shows_how_complete_and_how_fresh_each_source_is(api, query) -> None:
    query(
        "INSERT INTO annotations (gene_id, source, state, checked_state, checked_at)"
        " SELECT id, 'ensembl', CASE WHEN symbol = 'TTN' THEN 'absent' ELSE 'found' END,"
        "  CASE WHEN symbol = 'PKD1' THEN 'unknown' ELSE 'found' END,"
        "  now() - CASE WHEN symbol = 'PKD1' THEN interval '30 d' ELSE interval '1 d' END"
        " FROM genes"
    )
    query("INSERT INTO runs (id, task, mode, state) OVERRIDING SYSTEM VALUE"
          " VALUES (7, 't', 'smart', 'succeeded')")  # fmt: skip
    query("INSERT INTO run_sources (run_id, source, position, state, active, finished_at)"
          " VALUES (7, 'ensembl', 1, 'succeeded', false, now() - interval '1 h'),"
          " (7, 'hgnc', 2, 'failed', false, now())")  # fmt: skip
    seen = await scrape(api)
    expected = {
        "annotations{source=ensembl,state=found}": 2,
        "annotations{source=ensembl,state=absent}": 1,
        "annotations{source=ensembl,state=unknown}": 0,
        "annotations_unanswered{source=ensembl}": 1,
        "annotations{source=hgnc,state=found}": 0,
    }
    assert chosen(seen, expected) == expected
    ages = {
        "annotations_oldest_check_timestamp_seconds{source=ensembl}": 30 * 86_400,
        "annotations_median_check_timestamp_seconds{source=ensembl}": 86_400,
        "source_last_success_timestamp_seconds{source=ensembl}": 3_600,
    }
    for name, age in ages.items():
        assert time.time() - seen[name] == pytest.approx(age, abs=scaled(WAIT))
    assert "source_last_success_timestamp_seconds{source=hgnc}" not in seen


async def test_requests_to_the_sources_and_commit_durations_are_counted(api, query) -> None:
    none = await scrape(api)
    assert none["upstream_requests_total{source=gencc}"] == 0
    assert none["batch_commit_seconds_count{source=gencc}"] == 0
    query(
        "INSERT INTO source_totals (source, requests, rate_limited, budget_seconds,"
        " bytes_received, commits, commit_seconds) VALUES"
        " ('gencc', 12, 3, 4.5, 6000000000, '{0,0,0,5,0,0,0,0,0,0,0,2}', 25.2),"
        " ('cohort', 1, 0, 0, 0, '{}', 0)"
    )
    seen = await scrape(api)
    expected = {
        "upstream_requests_total{source=gencc}": 12,
        "upstream_rate_limited_total{source=gencc}": 3,
        "upstream_budget_wait_seconds_total{source=gencc}": 4.5,
        "upstream_received_bytes_total{source=gencc}": 6e9,
        "batch_commit_seconds_bucket{le=0.025,source=gencc}": 0,
        "batch_commit_seconds_bucket{le=0.05,source=gencc}": 5,
        "batch_commit_seconds_bucket{le=10.0,source=gencc}": 5,
        "batch_commit_seconds_bucket{le=+Inf,source=gencc}": 7,
        "batch_commit_seconds_count{source=gencc}": 7,
        "batch_commit_seconds_sum{source=gencc}": 25.2,
        # a table of the group's own
        "upstream_requests_total{source=cohort}": 1,
        "batch_commit_seconds_count{source=cohort}": 0,
    }
    assert chosen(seen, expected) == expected


async def test_a_histogram_has_the_durations_up_to_each_bound(api, query) -> None:
    run = (await api.post("/api/admin/runs", json={"sources": ["hgnc"]})).json()["id"]
    query("UPDATE run_events SET at = '2026-11-26 12:00:00Z'")
    for at, epoch, event in [
        ("12:00:02", 1, "claimed"),
        ("12:01:02", 1, "lost"),
        ("12:01:02.4", 2, "taken over"),
        ("12:10:02.4", 2, "succeeded"),
    ]:
        query("INSERT INTO run_events (run_id, at, epoch, event) VALUES (%s, %s, %s, %s)",
              run, f"2026-11-26 {at}Z", epoch, event)  # fmt: skip
    seen = await scrape(api)
    expected = {
        "queue_seconds_bucket{le=1.0}": 0,
        "queue_seconds_bucket{le=2.0}": 1,
        "queue_seconds_bucket{le=21600.0}": 1,
        "queue_seconds_count": 1,
        "queue_seconds_sum": 2,
        "recovery_seconds_bucket{le=0.25}": 0,
        "recovery_seconds_bucket{le=0.5}": 1,
        "recovery_seconds_count": 1,
        "recovery_seconds_sum": 0.4,
        "attempt_seconds_bucket{le=30.0,outcome=lost}": 0,
        "attempt_seconds_bucket{le=60.0,outcome=lost}": 1,
        "attempt_seconds_sum{outcome=lost}": 60,
        "attempt_seconds_bucket{le=300.0,outcome=succeeded}": 0,
        "attempt_seconds_bucket{le=600.0,outcome=succeeded}": 1,
        "attempt_seconds_sum{outcome=succeeded}": 540,
        "attempt_seconds_count{outcome=failed}": 0,
    }
    assert chosen(seen, expected) == expected


async def test_the_removal_of_a_run_changes_no_counter_and_no_time_of_a_success(
    api, query, bench
) -> None:
    run = (await api.post("/api/admin/runs", json={"sources": ["hgnc"]})).json()["id"]
    for event in ("claimed", "lost", "taken over", "succeeded"):
        query("INSERT INTO run_events (run_id, epoch, event) VALUES (%s, 1, %s)", run, event)
    query("UPDATE runs SET state = 'succeeded'")
    query("UPDATE run_sources SET state = 'succeeded', finished_at = now()")
    before = await scrape(api)
    counted = [name for name in before if re.search("_(total|bucket|count|sum)", name)]
    assert sum(before[name] for name in counted) > 0
    assert before["recovery_seconds_count"] == before["runs_ended_total{state=succeeded}"] == 1
    lasting = [*counted, "source_last_success_timestamp_seconds{source=hgnc}"]
    async with bench.db.begin() as connection:
        assert await totals.remove(connection, [run]) == [run]
    after = await scrape(api)
    assert chosen(after, lasting) == chosen(before, lasting)
    assert (before["runs{state=succeeded}"], after["runs{state=succeeded}"]) == (1, 0)


async def test_the_number_of_series_does_not_grow_with_runs_genes_or_workers(api, query) -> None:
    few = set(await scrape(api))
    query("INSERT INTO runs (task, mode, state, error) SELECT 't', 'smart', 'failed', 'e' || n"
          " FROM generate_series(1, 100) n")  # fmt: skip
    query("INSERT INTO genes (hgnc_id, symbol) SELECT 'HGNC:' || n, 'G' || n"
          " FROM generate_series(100001, 100100) n")  # fmt: skip
    query("INSERT INTO annotations (gene_id, source, state, checked_state, reason)"
          " SELECT id, 'hgnc', 'unknown', 'unknown', 'why ' || id FROM genes")  # fmt: skip
    query("INSERT INTO workers (kind, host, pid, session, version)"
          " SELECT 'arq', 'h' || n, n, 's' || n, '0' FROM generate_series(1, 100) n")  # fmt: skip
    assert {name for name in set(await scrape(api)) - few if "_timestamp_" not in name} == set()


async def test_names_and_types_are_as_prometheus_wants_them(api) -> None:
    answer = await api.get("/metrics")
    families = list(text_string_to_metric_families(answer.text))
    assert len(families) > 10
    for family in families:
        assert family.name.startswith(PREFIX)
        assert family.documentation
        suffixes = {
            "gauge": [""],
            "counter": ["_total"],
            "histogram": ["_bucket", "_count", "_sum"],
        }
        names = {sample.name for sample in family.samples}
        # nothing is waited for, so there is no sample of what runs wait for
        assert not names or names == {family.name + suffix for suffix in suffixes[family.type]}
    wanted = "application/openmetrics-text; version=1.0.0"
    answer = await api.get("/metrics", headers={"Accept": wanted})
    assert answer.headers["Content-Type"].startswith(wanted)
    assert list(openmetrics.text_string_to_metric_families(answer.text))


async def test_the_accept_header_never_prevents_a_response(api) -> None:
    for accept in [
        "application/openmetrics-text; version=x",
        "application/openmetrics-text; version=1.0.0; escaping=foo",
        "application/openmetrics-text; version=" + "9" * 5_000,
        "application/openmetrics-text; escaping=dots, text/plain; version=y",
        "text/plain; version=1.0.0; escaping==",
        "text/plain; version",
        ";;,,==",
    ]:
        answer = await api.get("/metrics", headers={"Accept": accept})
        assert answer.status_code == 200
        assert "kidney_genetics_postgresql_up 1.0" in answer.text


async def test_an_unavailable_database_is_reported_and_not_raised(serve, arq_settings) -> None:
    dsn = arq_settings.database_url.get_secret_value()
    proxy = Proxy(dsn)
    await proxy.open()
    async with serve(arq_settings.model_copy(update={"database_url": proxy.dsn})) as client:
        assert (await scrape(client))["postgresql_up"] == 1
        await proxy.cut()
        answer = await client.get("/metrics")
        assert answer.status_code == 200
        assert samples(answer.text) == {
            f"build_info{{version={__version__}}}": 1,
            "postgresql_up": 0,
            "redis_up": 1,
        }
        for secret in (make_url(dsn).password, "refused", str(proxy.port)):
            assert secret not in answer.text
        await proxy.open()
        assert (await scrape(client))["postgresql_up"] == 1
        await proxy.cut()


async def test_an_unavailable_or_unused_redis(serve, arq_settings, settings, genes) -> None:
    async with serve(arq_settings.model_copy(update={"redis_url": NOWHERE})) as client:
        seen = await scrape(client)
        assert (seen["redis_up"], seen["postgresql_up"]) == (0, 1)
    async with serve(settings) as client:
        seen = await scrape(client)
        assert "redis_up" not in seen
        assert seen["workers_alive{kind=api}"] == 1
