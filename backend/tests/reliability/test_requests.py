"""What operators and clients ask for, and what lies in the queue."""

import asyncio
import json
import os
import pickle
import time
from pathlib import Path

import pytest
from arq.constants import job_key_prefix, result_key_prefix
from sqlalchemy.ext.asyncio import create_async_engine

from app.core.runs import operations
from app.core.runs.request import RunRequest
from app.db.engine import psycopg_url
from harness.timing import limit
from tests.people import ADA
from tests.plant import QUEUE
from tests.reliability.conftest import BATCH, MakeScene, Scene


async def test_a_cancelled_run_writes_nothing_more_and_its_worker_stops(scene: Scene) -> None:
    scene.env["HGNC_RATE"] = "20"
    (worker,) = (await scene.workers(1)).values()
    _, address = await scene.api()
    run_id = scene.annotate("hgnc")
    await scene.half_way(run_id, BATCH)
    asked = time.time()
    async with scene.client(address) as client:
        answer = await client.post(f"/api/admin/runs/{run_id}/cancel")
    assert answer.status_code == 202
    run = await scene.ended(run_id)
    await scene.says(worker, "the attempt stopped because the run was cancelled")
    assert (run["state"], time.time() - asked <= 5) == ("cancelled", True)
    requests = scene.sandbox.stats()["requests"]["hgnc.fetch"]
    await asyncio.sleep(2)
    assert scene.rows(
        "SELECT bool_and(w.at < e.at) AS before FROM written w, run_events e"
        " WHERE e.event = 'cancelled'"
    ) == [{"before": True}]
    assert scene.sandbox.stats()["requests"]["hgnc.fetch"] == requests
    before = scene.rows("SELECT * FROM runs"), scene.events(run_id)
    for ended, says in ((run_id, "was cancelled"), (run_id + 1, "there is no run")):
        done = scene.cli("cancel", str(ended))
        assert done.returncode == 1
        assert says in done.stderr
    assert (scene.rows("SELECT * FROM runs"), scene.events(run_id)) == before
    assert worker.poll() is None
    # the source is free again
    again = scene.annotate("hgnc")
    await scene.half_way(again, BATCH)
    assert again != run_id
    scene.check_writes()


async def test_50_requests_at_once_are_one_run_and_an_overlapping_one_is_refused(
    make_scene: MakeScene,
) -> None:
    scene = make_scene()
    _, address = await scene.api()
    async with scene.client(address) as client:
        sources = ["ensembl", "clinvar"]
        answers = await asyncio.gather(
            *(client.post("/api/admin/runs", json={"sources": sources}) for _ in range(50))
        )
        assert sorted(answer.status_code for answer in answers) == [200] * 49 + [202]
        (run_id,) = {answer.json()["id"] for answer in answers}
        assert [answer.json()["created"] for answer in answers].count(True) == 1
        overlapping = await client.post("/api/admin/runs", json={"sources": ["clinvar"]})
        assert overlapping.status_code == 409
        assert str(run_id) in overlapping.text
    await scene.workers(1)
    await scene.ended(run_id)
    scene.check(run_id)
    assert len(scene.rows("SELECT id FROM runs")) == 1
    assert scene.count(run_id, "claimed") == 1


async def test_a_run_whose_wake_up_was_never_sent_is_started_and_one_rolled_back_never_is(
    scene: Scene,
) -> None:
    await scene.workers(1)
    db = create_async_engine(psycopg_url(scene.env["DATABASE_URL"]))
    async with db.begin() as connection:
        committed = await operations.create(
            connection, RunRequest.of(["ensembl"]), ["ensembl"], actor=ADA
        )
    created = time.time()
    async with db.connect() as connection:
        rolled_back = await operations.create(
            connection, RunRequest.of(["clinvar"]), ["clinvar"], actor=ADA
        )
        await connection.rollback()
    await db.dispose()
    run_id = committed.ref.run_id
    assert await scene.started_after(run_id, created - 1) <= 31
    await scene.ended(run_id)
    scene.check(run_id)
    # a wake-up without its run, as a crash or a bug could leave it
    redis = scene.redis()
    await redis.enqueue_job("run_pipeline_task", "clinvar", _job_id=f"{rolled_back.ref.run_id}:1")
    await emptied(scene)
    await redis.aclose(close_connection_pool=True)
    assert [run["id"] for run in scene.rows("SELECT id FROM runs")] == [run_id]
    assert "clinvar.esearch" not in scene.sandbox.stats()["requests"]


@pytest.mark.parametrize("redis_is_empty", [False, True])
async def test_a_run_that_was_queued_for_26_hours_runs_as_requested(
    make_scene: MakeScene, *, redis_is_empty: bool
) -> None:
    scene = make_scene()
    await scene.workers(1)
    first = scene.annotate("ensembl")
    await scene.ended(first)
    scene.processes[0].kill()
    second = scene.annotate("ensembl", "--mode", "full")
    scene.rows(
        "UPDATE runs SET created_at = created_at - interval '26 h',"
        " wake_up_sent_at = wake_up_sent_at - interval '26 h' WHERE id = %(id)s",
        id=second,
    )
    redis = scene.redis()
    assert [await redis.ttl(key) for key in await redis.keys(f"{job_key_prefix}*")] == [-1]
    if redis_is_empty:
        await redis.flushall()
    await redis.aclose(close_connection_pool=True)
    await scene.workers(1)
    run = await scene.ended(second)
    assert (run["task"], run["sources"], run["mode"]) == ("run_pipeline_task", ["ensembl"], "full")
    scene.check(second)
    assert scene.repeats("ensembl.lookup.id") + scene.repeats("ensembl.lookup") == 400 + 4


class Touch:
    """A pickle that creates a file when it is loaded."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (f"touch {self.path}",)


async def test_an_unknown_job_is_refused_and_the_worker_continues(scene: Scene) -> None:
    (worker,) = (await scene.workers(1)).values()
    run_id = scene.annotate("ensembl")
    await scene.ended(run_id)
    before = scene.rows("SELECT * FROM runs"), scene.events(run_id)
    trace = scene.folder / "executed"
    redis = scene.redis()

    def job(function: str) -> bytes:
        return json.dumps({"t": None, "f": function, "a": ["ensembl"], "k": {}, "et": 1}).encode()

    async with redis.pipeline(transaction=True) as pipe:
        for job_id, value in (
            ("pickle", pickle.dumps({"t": 1, "f": Touch(trace), "a": (), "k": {}, "et": 1})),
            ("bytes", b"\x80\xff\x00junk"),
            ("unknown", job("os.system")),
            (f"{run_id}:1", job("run_pipeline_task")),
        ):
            pipe.set(job_key_prefix + job_id, value)
            pipe.zadd(QUEUE, {job_id: 1})
        pipe.zadd(QUEUE, {b"\xff\xfe": 1})
        await pipe.execute()
    await emptied(scene)
    assert not trace.exists()
    assert (scene.rows("SELECT * FROM runs"), scene.events(run_id)) == before
    assert await redis.keys(f"{result_key_prefix}*") == []
    for words in ("pickle", "bytes", "os.system", "not queued under this epoch", "not a job id"):
        assert words in scene.log(worker)
    await redis.aclose(close_connection_pool=True)
    again = scene.annotate("ensembl", "--mode", "full")
    run = await scene.ended(again)
    assert (run["state"], run["pid"]) == ("succeeded", worker.pid)


@pytest.mark.timeout(180)
async def test_30000_jobs_of_clients_and_200000_that_are_none_delay_a_run_by_less_than_30_seconds(
    scene: Scene,
) -> None:
    redis = scene.redis()
    content = json.dumps(
        {"t": None, "f": "run_pipeline_task", "a": ["hgnc"], "k": {}, "et": int(time.time() * 1000)}
    )
    for start in range(0, 200_000, 10_000):
        await redis.zadd(QUEUE, {f"junk {start + n}": 1 for n in range(10_000)})
    for start in range(0, 30_000, 1_000):
        async with redis.pipeline(transaction=True) as pipe:
            for number in range(start, start + 1_000):
                pipe.set(f"{job_key_prefix}job {number}", content)
            pipe.zadd(QUEUE, {f"job {start + n}": time.time() * 1000 for n in range(1_000)})
            await pipe.execute()
    (worker,) = (await scene.workers(1)).values()
    asked = time.time()
    run_id = scene.annotate("ensembl")
    assert await scene.started_after(run_id, asked - 1) <= 30
    await scene.ended(run_id)
    async with limit():
        while await redis.zcard(QUEUE) > 1:
            await asyncio.sleep(0.05)
    emptied_after = time.time() - asked
    await redis.aclose(close_connection_pool=True)
    sources = [row["sources"] for row in scene.rows("SELECT sources FROM runs")]
    assert sorted(sources) == [["ensembl"], ["hgnc"]]
    assert emptied_after <= 60
    assert scene.log(worker).count("that are not jobs") <= 2
    scene.check(run_id)


async def emptied(scene: Scene) -> None:
    """Wait until the queue is empty."""
    redis = scene.redis()
    async with limit():
        while await redis.zcard(QUEUE):
            await asyncio.sleep(0.05)
    await redis.aclose(close_connection_pool=True)
