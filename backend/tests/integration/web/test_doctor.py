"""The page of the doctor runs the checks and shows the results to all users."""

import asyncio
import html
import re
from dataclasses import replace

import pytest
from pydantic import SecretStr

from app.core.checks import ok
from app.core.workers.liveness import Liveness
from app.core.workers.timing import Timing
from app.doctor import kept
from app.doctor.registry import CHECKS
from tests.integration.web.conftest import ADMIN, VIEWER, log_in, visiting

TOKEN = {"Authorization": f"Bearer {ADMIN}"}

NO_REDIS = "redis://:a-secret-of-redis@127.0.0.1:1/0"


async def words(browser, address: str = "/doctor") -> str:
    text = re.sub(r"<[^>]+>", " ", (await browser.get(address)).text)
    return html.unescape(" ".join(text.split()))


async def test_no_check_runs_before_it_is_requested(admin) -> None:
    text = await words(admin)

    assert "These checks have not run since this API was started." in text
    assert f"Not run yet: {len(CHECKS)}" in text
    assert (await admin.get("/api/admin/doctor", headers=TOKEN)).json()["ok"] is None


async def test_the_chosen_checks_run_and_all_users_see_the_results(admin) -> None:
    answer = await admin.post("/doctor", data={"only": "database.reachable"})

    assert (answer.status_code, answer.headers["location"]) == (
        303,
        "/doctor?only=database.reachable",
    )
    await admin.post("/logout")
    await log_in(admin, VIEWER)
    text = await words(admin, "/doctor?only=database.reachable")
    assert "No problem was found; 1 check passed." in text
    assert "database.reachable PostgreSQL" in text
    assert f"Not run yet: {len(CHECKS) - 2}" in await words(admin)


async def test_a_failed_check_is_first_with_a_command_that_can_be_copied(
    web_settings, genes
) -> None:
    settings = web_settings.model_copy(update={"redis_url": SecretStr(NO_REDIS)})
    async with visiting(settings) as browser:
        await log_in(browser, ADMIN)
        await browser.post("/doctor", data={"only": ["redis.reachable", "config.valid"]})
        page = (await browser.get("/doctor?only=redis.reachable,config.valid")).text
        result = await browser.get("/api/admin/doctor?only=redis.reachable", headers=TOKEN)

    assert page.index("Failed: 1") < page.index("Passed: 1")
    (failed,) = result.json()["checks"]
    assert failed["status"] == "failed"
    assert f'<pre class="command"><code>{html.escape(failed["remedy"])}</code></pre>' in page
    assert failed["why"] in html.unescape(page)
    assert "a-secret-of-redis" not in page + result.text


async def test_a_viewer_cannot_run_the_checks(viewer) -> None:
    answer = await viewer.post("/doctor", data={"only": "config.valid"})

    assert answer.status_code == 403
    assert "Run all checks" not in (await viewer.get("/doctor")).text
    assert "have not run" in await words(viewer)


async def test_a_name_that_is_no_check_is_explained(admin) -> None:
    for answer in (
        await admin.get("/doctor?only=redis.reachble"),
        await admin.post("/doctor", data={"only": "redis.reachble"}),
    ):
        assert answer.status_code == 422
        assert "did you mean redis.reachable?" in answer.text


async def test_pages_are_served_while_a_check_takes_its_time_and_it_runs_once(
    admin, monkeypatch
) -> None:
    began, go_on = asyncio.Event(), asyncio.Event()
    here = asyncio.get_running_loop()
    runs = []

    async def slow(context):
        runs.append(context)
        here.call_soon_threadsafe(began.set)
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(go_on.wait(), here))
        return ok("slept well")

    index, check = next((n, c) for n, c in enumerate(CHECKS) if c.id == "config.mode")
    slowed = (*CHECKS[:index], replace(check, run=slow), *CHECKS[index + 1 :])
    monkeypatch.setattr(kept, "CHECKS", slowed)

    first = asyncio.create_task(admin.post("/doctor", data={"only": "config.mode"}))
    await began.wait()
    second = asyncio.create_task(admin.post("/doctor", data={"only": "config.mode"}))
    assert "The checks are running." in await words(admin)
    other = await admin.post("/doctor", data={"only": "config.valid"})
    assert other.status_code == 409
    assert "wait a few seconds" in other.text
    go_on.set()
    assert [(await each).status_code for each in (first, second)] == [303, 303]
    assert len(runs) == 1
    assert "config.mode slept well" in await words(admin)


@pytest.mark.parametrize("only", ["<script>alert(1)</script>", '" onmouseover="alert(1)'])
async def test_markup_in_the_choice_is_shown_as_text(admin, only) -> None:
    text = (await admin.get("/doctor", params={"only": only})).text

    assert "<script>alert" not in text
    assert '" onmouseover="' not in text


async def test_markup_in_a_result_is_shown_as_text(admin, database_url, query) -> None:
    worker = Liveness(database_url, kind="arq", timing=Timing())
    await worker.connect()
    query(
        "UPDATE workers SET host = '<script>alert(1)</script>',"
        " heartbeat_at = now() - interval '1 h'"
    )
    await admin.post("/doctor", data={"only": "worker.heartbeat"})
    await worker.drop()

    text = (await admin.get("/doctor")).text
    assert "Failed: 1" in text
    assert "<script>alert" not in text
    assert "alert(1)" in text
