"""Runs over HTTP: requested, shown, cancelled, tried again. Nobody executes them here."""

import asyncio
from collections import Counter
from typing import Any

import httpx
import pytest
import redis

from app.annotation.sources import SOURCES

RUNS = "/api/admin/runs"


async def start(api: httpx.AsyncClient, *sources: str, mode: str = "smart") -> Any:
    answer = await api.post(RUNS, json={"sources": sources or None, "mode": mode})
    assert answer.status_code == 202, answer.text
    return answer.json()


async def test_a_run_is_accepted_queued_and_rung(api, redis_url) -> None:
    answer = await api.post(RUNS, json={"sources": ["ensembl"], "mode": "full"})
    assert answer.status_code == 202
    run_id = answer.json()["id"]
    assert answer.json() == {"id": run_id, "state": "queued", "created": True}
    with redis.Redis.from_url(redis_url) as client:
        assert client.zrange("kidney_genetics_tasks", 0, -1) == [f"{run_id}:1".encode()]


async def test_fifty_identical_requests_at_once_are_one_run(api, query) -> None:
    answers = await asyncio.gather(
        *(
            api.post(RUNS, json={"sources": ["hgnc", "ensembl"][:: 1 - 2 * (i % 2)]})
            for i in range(50)
        )
    )
    assert Counter(a.status_code for a in answers) == {202: 1, 200: 49}
    assert len({a.json()["id"] for a in answers}) == 1
    assert Counter(a.json()["created"] for a in answers) == {True: 1, False: 49}
    assert query("SELECT count(*) AS n FROM runs")[0]["n"] == 1


async def test_an_overlapping_request_is_a_conflict(api) -> None:
    first = await start(api, "ensembl")
    answer = await api.post(RUNS, json={"sources": None})
    assert answer.status_code == 409
    assert answer.json() == {
        "error": f"run {first['id']} is active and covers ensembl",
        "allowed": "one active run per source",
        "remedy": f"wait until it has ended, or cancel run {first['id']}:"
        f" POST /api/admin/runs/{first['id']}/cancel",
    }


async def test_many_overlapping_requests_at_once_leave_one_run(api) -> None:
    asked = [["ensembl"], ["ensembl", "hgnc"], ["hgnc", "ensembl", "clinvar"], None]
    answers = await asyncio.gather(
        *(api.post(RUNS, json={"sources": asked[i % 4]}) for i in range(24))
    )
    assert Counter(a.status_code for a in answers) == {202: 1, 200: 5, 409: 18}


async def test_null_and_left_out_mean_all_sources_that_are_not_disabled(api, settings) -> None:
    run = await start(api)
    shown = (await api.get(f"{RUNS}/{run['id']}")).json()
    assert shown["sources"] is None
    assert [each["source"] for each in shown["progress"]] == settings.enabled_sources
    assert (await api.post(RUNS, json={})).json()["id"] == run["id"]


async def test_an_unknown_source_is_refused_with_the_nearest_name(api) -> None:
    answer = await api.post(RUNS, json={"sources": ["clinvr"]})
    assert answer.status_code == 422
    assert "did you mean clinvar?" in answer.json()["error"]
    assert answer.json()["allowed"] == ", ".join(SOURCES)


async def test_without_genes_there_is_nothing_to_run(api, query) -> None:
    query("DELETE FROM genes")
    answer = await api.post(RUNS, json={})
    assert answer.status_code == 422
    assert "genes-import" in answer.json()["remedy"]


async def test_a_run_shows_how_far_it_is(api, query) -> None:
    run = await start(api, "clinvar", "ensembl")
    query(
        "INSERT INTO workers (kind, host, pid, session, version)"
        " VALUES ('arq', 'annotator', 42, 's', '0')"
    )
    query(
        "UPDATE runs SET state = 'running', attempt_started_at = now() - interval '101 s',"
        " epoch = 3, losses = 1, interruptions = 1, worker_id = (SELECT max(id) FROM workers)"
    )
    query(
        "UPDATE run_sources SET state = 'running', attempt_started_at = now() - interval '100 s',"
        " total = 10, done = 5, found = 3, absent = 1, unknown = 1, requests = 7,"
        " rate_limited = 2, budget_seconds = 1.5, bytes_received = 5000000000,"
        " weight_total = 1000, weight_done = 250 WHERE source = 'clinvar'"
    )
    shown = (await api.get(f"{RUNS}/{run['id']}")).json()
    assert shown["state"] == "running"
    assert shown["task"] == "run_annotation_pipeline_task"
    assert (shown["epoch"], shown["losses"], shown["interruptions"]) == (3, 1, 1)
    assert shown["worker"]["host"] == "annotator"
    clinvar = next(each for each in shown["progress"] if each["source"] == "clinvar")
    counts = ("total", "done", "found", "absent", "unknown", "requests")
    assert [clinvar[name] for name in counts] == [10, 5, 3, 1, 1, 7]
    traffic = ("rate_limited", "budget_seconds", "bytes_received")
    assert [clinvar[name] for name in traffic] == [2, 1.5, 5_000_000_000]
    assert clinvar["eta"] == pytest.approx(300, abs=10)
    assert shown["eta"] == clinvar["eta"]
    ensembl = next(each for each in shown["progress"] if each["source"] == "ensembl")
    assert (ensembl["total"], ensembl["seconds"], ensembl["eta"]) == (None, None, None)


async def test_the_speed_excludes_the_work_of_earlier_attempts(api, query) -> None:
    run = await start(api, "clinvar")
    query(
        "UPDATE runs SET state = 'running', epoch = 2,"
        " attempt_started_at = now() - interval '101 s'"
    )
    query(
        "UPDATE run_sources SET state = 'running', attempt_started_at = now() - interval '100 s',"
        " total = 1000, done = 500, weight_total = 1000, weight_done = 500, weight_at_start = 300"
    )

    progress = (await api.get(f"{RUNS}/{run['id']}")).json()["progress"]
    clinvar = next(each for each in progress if each["source"] == "clinvar")

    assert clinvar["speed"] == pytest.approx(2, abs=0.1)


async def test_an_unknown_time_is_null(api, query) -> None:
    run = await start(api, "ensembl")
    query("UPDATE runs SET state = 'running'")
    query(
        "UPDATE run_sources SET state = 'running', started_at = now(), total = 3, weight_total = 3"
    )
    assert (await api.get(f"{RUNS}/{run['id']}")).json()["eta"] is None


async def test_a_run_shows_why_answers_are_unknown(api, query) -> None:
    run = await start(api, "ensembl")
    query(
        "INSERT INTO annotations (gene_id, source, state, checked_state, checked_run_id, reason)"
        " SELECT id, 'ensembl', 'unknown', 'unknown', %s, 'it is on fire' FROM genes",
        run["id"],
    )
    query("UPDATE run_sources SET unknown = 3, done = 3")
    shown = (await api.get(f"{RUNS}/{run['id']}")).json()
    assert shown["unknown_reasons"] == [
        {"source": "ensembl", "reason": "it is on fire", "genes": 3, "example": "C1orf112"}
    ]


async def test_runs_are_listed_by_pages_the_newest_first(api) -> None:
    ids = []
    for _ in range(5):
        run = await start(api, "ensembl")
        ids.insert(0, run["id"])
        await api.post(f"{RUNS}/{run['id']}/cancel")
    first = (await api.get(RUNS, params={"limit": 3})).json()
    assert [run["id"] for run in first["runs"]] == ids[:3]
    second = (await api.get(RUNS, params={"limit": 3, "before": first["next_before"]})).json()
    assert [run["id"] for run in second["runs"]] == ids[3:]
    assert second["next_before"] is None


async def test_events_come_in_order_and_by_pages(api) -> None:
    run = await start(api, "ensembl")
    for what in ("cancel", "retry", "cancel"):
        assert (await api.post(f"{RUNS}/{run['id']}/{what}")).status_code == 202
    where = f"{RUNS}/{run['id']}/events"
    page = (await api.get(where, params={"limit": 3})).json()
    assert [e["event"] for e in page["events"]] == ["created", "cancelled", "reopened"]
    assert {e["actor"] for e in page["events"]} == {"admin, API"}
    for actor, ids in (("admin", [run["id"]]), ("ada", [])):
        listed = (await api.get(RUNS, params={"actor": actor})).json()["runs"]
        assert [each["id"] for each in listed] == ids
    rest = (await api.get(where, params={"after": page["next_after"]})).json()
    assert [e["event"] for e in rest["events"]] == ["cancelled"]


async def test_the_log_of_an_attempt_is_shown(api, query) -> None:
    run = await start(api, "ensembl")
    where = f"{RUNS}/{run['id']}/log"
    assert (await api.get(where)).json() == {"run_id": run["id"], "epochs": [], "attempt": None}
    query(
        "INSERT INTO attempt_logs (run_id, epoch, number, at, level, text)"
        " SELECT %s, epoch, 7, '2026-11-24T12:00:00Z', 'info', 'succeeded'"
        " FROM generate_series(1, 2) epoch",
        run["id"],
    )

    latest = (await api.get(where)).json()
    first = (await api.get(where, params={"epoch": 1})).json()

    assert (latest["epochs"], latest["attempt"]["epoch"]) == ([1, 2], 2)
    line = {"number": 7, "at": "2026-11-24T12:00:00Z", "level": "info", "text": "succeeded"}
    assert first["attempt"] == {"epoch": 1, "earlier": 6, "lines": [line]}
    missing = await api.get(where, params={"epoch": 3})
    assert (missing.status_code, missing.json()["allowed"]) == (404, "1, 2")


async def test_a_run_is_cancelled_once_and_tried_again(api, redis_url) -> None:
    run = await start(api, "ensembl")
    where = f"{RUNS}/{run['id']}"
    assert (await api.post(f"{where}/retry")).status_code == 409
    cancelled = await api.post(f"{where}/cancel")
    assert (cancelled.status_code, cancelled.json()["state"]) == (202, "cancelled")
    assert (await api.post(f"{where}/cancel")).status_code == 409
    retried = await api.post(f"{where}/retry")
    assert (retried.status_code, retried.json()["state"]) == (202, "queued")
    with redis.Redis.from_url(redis_url) as client:
        assert f"{run['id']}:2".encode() in client.zrange("kidney_genetics_tasks", 0, -1)


HELD = '{"reason": "ensembl lost 30 of 60 genes", "genes": 30, "examples": ["PKD1"], "files": []}'


@pytest.fixture
async def holding(api, query) -> str:
    """The address of a failed run that holds the answers of ensembl and those of hgnc."""
    run = await start(api, "ensembl", "hgnc")
    where = f"{RUNS}/{run['id']}"
    await api.post(f"{where}/cancel")
    query("UPDATE runs SET state = 'failed'")
    query("UPDATE run_sources SET state = 'held', held = %s, error = 'held'", HELD)
    return where


async def test_an_operator_accepts_the_held_answers_of_one_source(api, query, holding) -> None:
    body = {"source": "ensembl", "by": "Ada", "note": "Ensembl said so"}
    accepted = await api.post(f"{holding}/accept", json=body)
    assert (accepted.status_code, accepted.json()["state"]) == (202, "queued")
    run = (await api.get(holding)).json()
    hgnc, ensembl = run["progress"]
    assert (run["state"], hgnc["state"], ensembl["state"]) == ("queued", "held", "queued")
    assert (hgnc["held"]["genes"], ensembl["held"], hgnc["accepted"]) == (30, None, None)
    kept = ensembl["accepted"]
    assert (kept["by"], kept["note"], kept["examples"]) == ("Ada", "Ensembl said so", ["PKD1"])
    events = (await api.get(f"{holding}/events")).json()["events"]
    assert [each["event"] for each in events[-2:]] == ["accepted", "reopened"]
    assert events[-2]["detail"] == {**body, "held": "ensembl lost 30 of 60 genes"}


async def test_the_second_source_is_accepted_while_the_run_is_queued(api, query, holding) -> None:
    for name in ("ensembl", "hgnc"):
        accepted = await api.post(f"{holding}/accept", json={"source": name, "by": "Ada"})
        assert accepted.status_code == 202
    assert query("SELECT DISTINCT state FROM run_sources") == [{"state": "queued"}]
    events = (await api.get(f"{holding}/events")).json()["events"]
    assert [each["event"] for each in events[-3:]] == ["accepted", "reopened", "accepted"]


async def test_only_held_answers_can_be_accepted_and_only_with_a_name(api, query, holding) -> None:
    where = f"{holding}/accept"
    wrong = await api.post(where, json={"source": "clinvar\x00", "by": "Ada"})
    assert (wrong.status_code, wrong.json()["allowed"]) == (422, "hgnc, ensembl")
    for body in ({"source": "hgnc"}, {"source": "hgnc", "by": ""}, {"source": "hgnc", "by": " "}):
        assert (await api.post(where, json=body)).status_code == 422
    query("UPDATE runs SET state = 'queued'")
    query("UPDATE runs SET state = 'running'")
    running = await api.post(where, json={"source": "hgnc", "by": "Ada"})
    assert running.status_code == 409
    assert (await api.post(f"{RUNS}/99/accept", json={"source": "x", "by": "y"})).status_code == 404


async def test_a_retry_requests_the_held_sources_again(api, query, holding) -> None:
    assert (await api.post(f"{holding}/retry")).status_code == 202
    rows = query("SELECT DISTINCT state, held, error FROM run_sources")
    assert rows == [{"state": "queued", "held": None, "error": None}]


async def test_a_run_is_not_tried_again_while_another_covers_its_sources(api) -> None:
    first = await start(api, "ensembl")
    await api.post(f"{RUNS}/{first['id']}/cancel")
    second = await start(api, "ensembl", mode="full")
    answer = await api.post(f"{RUNS}/{first['id']}/retry")
    assert answer.status_code == 409
    assert f"run {second['id']} is active" in answer.json()["error"]


async def test_a_request_may_reopen_the_run_that_was_cancelled(api) -> None:
    run = await start(api, "ensembl")
    await api.post(f"{RUNS}/{run['id']}/cancel")
    answer = await api.post(RUNS, json={"sources": ["ensembl"], "resume": True})
    assert answer.status_code == 200
    assert answer.json() == {"id": run["id"], "state": "queued", "created": False}


async def test_a_missing_run_is_not_found(api) -> None:
    for run_id in ("1", "0", "-1", str(2**63), str(10**40)):
        for call, what in (
            (api.get, ""),
            (api.get, "/events"),
            (api.post, "/cancel"),
            (api.post, "/retry"),
        ):
            answer = await call(f"{RUNS}/{run_id}{what}")
            assert answer.status_code == 404
            assert answer.json()["error"] == f"there is no run {run_id}"


async def test_a_run_that_is_no_number_is_refused(api) -> None:
    for run_id in ("one", "1.5", "9" * 5000, "%00"):
        assert (await api.get(f"{RUNS}/{run_id}")).status_code == 422


async def test_a_page_has_its_bounds(api) -> None:
    for limit in (0, 201, "x"):
        assert (await api.get(RUNS, params={"limit": limit})).status_code == 422
    for before in (2**63, 0):
        assert (await api.get(RUNS, params={"before": before})).status_code == 422


async def test_a_run_parked_for_ever_breaks_no_answer(api, query) -> None:
    run = await start(api, "ensembl")
    query("UPDATE runs SET not_before = '33715-01-01', finished_at = 'infinity'")
    query("UPDATE run_events SET at = '33715-01-01'")
    for address in (RUNS, f"{RUNS}/{run['id']}", f"{RUNS}/{run['id']}/events"):
        assert (await api.get(address)).status_code == 200
    status = await api.get("/api/admin/worker-status")
    assert status.status_code == 200
    assert status.json()["waiting"][0]["not_before"] == "9999-12-30T00:00:00Z"
    assert (await api.get("/metrics")).status_code == 200
