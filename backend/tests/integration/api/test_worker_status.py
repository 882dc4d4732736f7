import asyncio

import redis

from app.annotation.sources import SOURCES
from app.core.process.version import version
from app.core.workers.liveness import Liveness
from app.core.workers.timing import Timing
from harness.timing import WAIT, limit, scaled

STATUS = "/api/admin/worker-status"


async def test_no_recipients_and_no_message(api) -> None:
    found = (await api.get(STATUS)).json()
    budgets = found.pop("budgets")
    assert found == {
        "version": version(),
        "workers": [],
        "queue_depth": 0,
        "oldest_waiting": None,
        "waiting": [],
        "arq_health": None,
    }
    assert {each["host"] for each in budgets} == {
        host.name for source in SOURCES.values() for host in source.info.hosts
    }
    assert {each["used"] for each in budgets} == {0}


async def test_a_worker_is_alive_until_its_session_ends(api, database_url, query) -> None:
    worker = Liveness(database_url, kind="arq", timing=Timing())
    await worker.connect()
    (shown,) = (await api.get(STATUS)).json()["workers"]
    assert shown["alive"] is True
    assert shown["id"] == worker.worker_id
    assert 0 <= shown["heartbeat_age"] < scaled(WAIT)
    await worker.drop()
    async with limit(WAIT):
        # PostgreSQL notices a moment later that the session has ended
        while query("SELECT FROM worker_liveness WHERE holds_lock"):
            await asyncio.sleep(0.01)
    (shown,) = (await api.get(STATUS)).json()["workers"]
    assert (shown["alive"], shown["frozen"]) == (False, False)


async def test_a_worker_that_stopped_cleanly_is_no_longer_shown(api, database_url) -> None:
    worker = Liveness(database_url, kind="arq", timing=Timing())
    await worker.connect()
    await worker.stop()
    assert (await api.get(STATUS)).json()["workers"] == []


async def test_a_worker_without_a_heartbeat_is_not_alive_though_it_holds_its_lock(
    api, database_url, query
) -> None:
    worker = Liveness(database_url, kind="arq", timing=Timing())
    await worker.connect()
    query("UPDATE workers SET heartbeat_at = now() - interval '40 s'")
    (shown,) = (await api.get(STATUS)).json()["workers"]
    assert shown["alive"] is False
    assert shown["heartbeat_age"] >= 40
    await worker.stop()


async def test_a_worker_that_reconnected_is_shown_once(api, database_url) -> None:
    worker = Liveness(database_url, kind="arq", timing=Timing())
    await worker.connect()
    await worker.drop()
    await worker.connect()
    (shown,) = (await api.get(STATUS)).json()["workers"]
    assert (shown["id"], shown["alive"]) == (worker.worker_id, True)
    await worker.stop()


async def test_it_shows_running_and_waiting_runs(api, database_url, query) -> None:
    worker = Liveness(database_url, kind="arq", timing=Timing())
    await worker.connect()
    running, waiting = [
        (await api.post("/api/admin/runs", json={"sources": [source]})).json()["id"]
        for source in ("hgnc", "ensembl")
    ]
    query(
        "UPDATE runs SET state = 'running', worker_id = %s WHERE id = %s",
        worker.worker_id,
        running,
    )
    query("UPDATE runs SET waiting_for = 'ensembl', not_before = now() + interval '1 min'"
          " WHERE state = 'queued'")  # fmt: skip
    query("UPDATE run_events SET at = at - interval '50 s' WHERE run_id = %s", waiting)
    status = (await api.get(STATUS)).json()
    assert status["workers"][0]["runs"] == [running]
    assert status["queue_depth"] == 1
    assert 50 <= status["oldest_waiting"] < 100
    (queued,) = status["waiting"]
    assert (queued["run"], queued["waiting_for"]) == (waiting, "ensembl")
    assert queued["not_before"] is not None
    await worker.stop()


async def test_it_quotes_arqs_own_health_line(api, redis_url) -> None:
    with redis.Redis.from_url(redis_url) as client:
        client.set("arq:health-check", "Nov-23 15:00:00 j_complete=1")
    assert (await api.get(STATUS)).json()["arq_health"] == "Nov-23 15:00:00 j_complete=1"
