"""The API stopped, killed and reloaded while a run is under way."""

import asyncio
import time
from pathlib import Path

from harness.timing import limit
from tests.reliability.conftest import BATCH, Scene, gone


async def ask_for_a_run(scene: Scene, address: str) -> int:
    async with scene.client(address) as client:
        answer = await client.post("/api/admin/runs", json={"sources": ["hgnc"]})
        assert answer.status_code == 202
        run_id: int = answer.json()["id"]
        return run_id


async def test_an_api_that_executes_runs_itself_continues_after_a_kill(scene: Scene) -> None:
    scene.env["USE_ARQ_WORKER"] = "false"
    api, address = await scene.api()
    run_id = await ask_for_a_run(scene, address)
    await scene.half_way(run_id, BATCH)
    api.kill()
    api.wait()
    killed = time.time()
    _, address = await scene.api()
    await scene.started_after(run_id, killed)
    await scene.ended(run_id)
    scene.check(run_id)
    assert scene.counters(run_id) == (1, 0, 1)
    assert scene.repeats() <= BATCH


async def test_a_run_at_a_worker_does_not_notice_that_the_api_is_restarted_and_reloaded(
    scene: Scene, tmp_path: Path
) -> None:
    scene.sandbox.set_limits(hgnc=10.0)
    scene.env["HGNC_RATE"] = "10"
    await scene.workers(1)
    api, address = await scene.api()
    run_id = await ask_for_a_run(scene, address)
    await scene.half_way(run_id)
    api.terminate()
    assert (await gone(api, 10))[0] == 0
    watched = tmp_path / "watched"
    watched.mkdir()
    (watched / "module.py").write_text("")
    reloading = scene.start(
        *("uvicorn", "app.main:create_app", "--factory", "--port", "0"),
        *("--reload", "--reload-dir", str(watched)),
    )
    await scene.says(reloading, "startup complete")
    (watched / "module.py").write_text("changed = True")
    async with limit():
        while scene.log(reloading).count("startup complete") < 2:
            await asyncio.sleep(0.1)
    assert (await scene.until(lambda r: True, run_id=run_id))["state"] == "running"
    reloading.terminate()
    await gone(reloading, 20)
    await scene.ended(run_id)
    scene.check(run_id)
    assert scene.counters(run_id) == (1, 0, 0)
    assert [event["event"] for event in scene.events(run_id)] == ["created", "claimed", "succeeded"]
    assert scene.repeats() == 0
