"""The page of the workers: their runs, and why a worker is not alive."""

import asyncio
import re

import pytest

from app.core.process.version import version
from app.core.workers.liveness import Liveness
from app.core.workers.timing import Timing
from harness.timing import WAIT, limit

HOSTILE = '<script>alert(1)</script>" onmouseover="alert(2)'


@pytest.fixture
async def worker(database_url):
    """A live worker with three slots."""
    worker = Liveness(database_url, kind="arq", timing=Timing(), slots=3)
    await worker.connect()
    yield worker
    await worker.drop()


async def die(worker, query) -> None:
    """End the session of a worker, and wait until PostgreSQL detects it."""
    await worker.drop()
    async with limit(WAIT):
        while query("SELECT FROM worker_liveness WHERE holds_lock"):
            await asyncio.sleep(0.01)


async def shown(browser) -> str:
    text = re.sub(r"<[^>]+>", " ", (await browser.get("/workers")).text)
    return " ".join(text.split())


async def test_the_page_shows_the_runs_of_a_worker_with_links(admin, worker, query) -> None:
    answer = await admin.post("/runs", data={"source": "hgnc"})
    run_id = int(answer.headers["location"].removeprefix("/runs/"))
    query("UPDATE runs SET state = 'running', worker_id = %s", worker.worker_id)
    query(
        "INSERT INTO schedules (name, kind, cron, action, next_at, by)"
        " VALUES ('weekly', 'cron', '0 3 * * 0', 'backup', now(), 'Ada')"
    )
    query(
        "INSERT INTO schedule_ticks (schedule_id, tick, outcome, worker_id)"
        " SELECT id, now(), 'running', %s FROM schedules",
        worker.worker_id,
    )

    page = (await admin.get("/workers")).text
    assert f'href="/runs/{run_id}"' in page
    assert 'href="/schedules/weekly"' in page
    text = await shown(admin)
    assert "1 worker is alive, 1 of 3 slots is in use." in text
    assert "as this API" in text
    assert f"/workers#worker-{worker.worker_id}" in (await admin.get("/")).text


@pytest.mark.parametrize(
    ("its", "said"),
    [
        ("0.0.1+12345678", "older than this API"),
        ("9999.0+12345678", "newer than this API"),
        (version().partition("+")[0] + "+12345678", "other code than this API"),
    ],
)
async def test_a_worker_with_other_code_than_the_api_is_marked(
    admin, worker, query, its, said
) -> None:
    query("UPDATE workers SET version = %s", its)

    text = await shown(admin)
    assert "1 runs other code than this API" in text
    assert f"{said} : {its}" in text


async def test_a_dead_worker_is_explained_with_the_runs_that_it_lost(admin, worker, query) -> None:
    (run,) = query(
        "INSERT INTO runs (task, mode, state, worker_id) VALUES ('t', 'smart', 'queued', %s)"
        " RETURNING id",
        worker.worker_id,
    )
    query(
        "INSERT INTO run_events (run_id, epoch, event, detail)"
        " VALUES (%s, 1, 'lost', jsonb_build_object('worker', %s::int))",
        run["id"],
        worker.worker_id,
    )
    await die(worker, query)

    page = (await admin.get("/workers")).text
    assert f'href="/runs/{run["id"]}"' in page
    text = await shown(admin)
    assert "No worker is alive." in text
    assert '/doctor">doctor</a> finds the cause' in (await admin.get("/")).text
    assert f"pid {query('SELECT pid FROM workers')[0]['pid']}: gone" in text
    assert "did not stop cleanly" in text


async def test_a_frozen_worker_is_distinguished_from_a_dead_one(admin, worker, query) -> None:
    query("UPDATE workers SET heartbeat_at = now() - interval '40 s'")

    text = await shown(admin)
    assert ": frozen" in text
    assert "kill -CONT" in text


async def test_a_viewer_sees_the_workers(viewer, worker) -> None:
    assert "1 worker is alive, 0 of 3 slots are in use." in await shown(viewer)


async def test_markup_in_a_worker_is_shown_as_text(admin, worker, query) -> None:
    query("UPDATE workers SET host = %s, version = %s, kind = %s", HOSTILE, HOSTILE, HOSTILE)
    for died in (False, True):
        if died:
            await die(worker, query)
        text = (await admin.get("/workers")).text
        assert "<script>alert" not in text
        assert '" onmouseover' not in text
        assert "alert(1)" in text
