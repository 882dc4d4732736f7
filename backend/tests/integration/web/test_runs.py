"""Listing, showing, starting and changing runs with forms that need no script."""

import re
from html import unescape

import pytest

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>"


async def start(admin, **data) -> int:
    answer = await admin.post("/runs", data={"mode": "smart", **data})
    assert answer.status_code == 303, answer.text
    return int(answer.headers["location"].removeprefix("/runs/"))


async def listed(browser, query: str = "") -> list[int]:
    text = (await browser.get(f"/runs{query}")).text
    return [int(each) for each in re.findall(r'<a href="/runs/(\d+)" data-row>', text)]


async def test_a_run_is_started_with_the_same_effect_as_by_the_api(admin, query) -> None:
    run_id = await start(admin, source=["hgnc", "clinvar"], mode="full")

    (run,) = query("SELECT id, sources, mode, state FROM runs")
    expected = {"sources": ["clinvar", "hgnc"], "mode": "full", "state": "queued"}
    assert run == {"id": run_id, **expected}
    assert await start(admin, source=["clinvar", "hgnc"], mode="full") == run_id


async def test_a_run_that_overlaps_another_is_refused_with_the_reason(admin) -> None:
    run_id = await start(admin, source="hgnc")

    answer = await admin.post("/runs", data={"source": ["hgnc", "clinvar"]})

    assert answer.status_code == 409
    assert f"run {run_id}" in answer.text


async def test_a_run_is_cancelled_and_retried(admin, query) -> None:
    run_id = await start(admin, source="hgnc")
    assert "Cancel" in (await admin.get(f"/runs/{run_id}")).text

    await admin.post(f"/runs/{run_id}/cancel")
    assert query("SELECT state FROM runs") == [{"state": "cancelled"}]
    await admin.post(f"/runs/{run_id}/retry")
    assert query("SELECT state FROM runs") == [{"state": "queued"}]


async def test_the_page_of_a_run_shows_who_did_what(admin, query) -> None:
    run_id = await start(admin, source="hgnc")
    query("INSERT INTO run_events (run_id, epoch, event) VALUES (%s, 1, 'cancelled')", run_id)
    query("INSERT INTO run_events (run_id, epoch, event) VALUES (%s, 1, 'lost')", run_id)

    text = (await admin.get(f"/runs/{run_id}")).text

    assert "<td>created</td><td>admin, pages</td>" in text
    assert "<td>cancelled</td><td>not recorded</td>" in text
    assert "<td>lost</td><td></td>" in text


async def test_runs_are_filtered_by_the_person_who_acted(admin, query) -> None:
    first = await start(admin, source="hgnc")
    await admin.post(f"/runs/{first}/cancel")
    (row,) = query(
        "INSERT INTO runs (task, mode, state, finished_at)"
        " VALUES ('t', 'smart', 'succeeded', now()) RETURNING id"
    )
    query(
        "INSERT INTO run_events (run_id, epoch, event, actor) VALUES (%s, 1, 'created', %s)",
        row["id"],
        "ada@lab3, CLI",
    )

    assert await listed(admin, "?actor=admin") == [first]
    assert await listed(admin, "?actor=ada%40lab3%2C+CLI") == [row["id"]]
    text = (await admin.get("/runs?actor=ada&state=succeeded")).text
    assert "<option>ada@lab3, CLI</option>" in text
    assert "<code>just runs --state succeeded --actor ada</code>" in text
    assert "/api/admin/runs?state=succeeded&amp;actor=ada" in text
    await admin.post("/runs/matching", data={"action": "retry", "actor": "admin"})
    retried = "SELECT run_id, actor FROM run_events WHERE event = 'reopened'"
    assert query(retried) == [{"run_id": first, "actor": "admin, pages"}]


async def test_the_list_shows_the_runs_that_match(admin, query) -> None:
    first = await start(admin, source="hgnc")
    query("UPDATE runs SET state = 'cancelled'")
    second = await start(admin, source="clinvar")
    query("UPDATE run_sources SET source = 'gtex' WHERE run_id = %s AND source = 'hgnc'", second)
    query("UPDATE runs SET state = 'failed', error = 'The Disk is full' WHERE id = %s", second)
    query("UPDATE runs SET created_at = '2026-01-01' WHERE id = %s", first)

    assert await listed(admin) == [second, first]
    assert await listed(admin, "?state=failed") == [second]
    assert await listed(admin, "?source=hgnc") == [first]
    assert await listed(admin, "?error=disk+IS") == [second]
    assert await listed(admin, "?until=2026-01-02") == [first]
    assert await listed(admin, "?since=2026-01-02&state=&source=") == [second]
    assert await listed(admin, "?state=succeeded") == []


@pytest.mark.parametrize(
    ("query_string", "said"),
    [
        ("?state=faild", "did you mean failed?"),
        ("?since=yesterday", "yesterday"),
        ("?before=0", "before"),
        ("?before=99999999999999999999", "before"),
    ],
)
async def test_a_wrong_filter_is_explained(admin, query_string, said) -> None:
    answer = await admin.get(f"/runs{query_string}")

    assert answer.status_code == 422
    assert said in answer.text


async def test_many_runs_are_shown_page_by_page(admin, query) -> None:
    query(
        "INSERT INTO runs (task, sources, mode, state, finished_at)"
        " SELECT 'run_pipeline_task', '{hgnc}', 'smart', 'succeeded', now()"
        " FROM generate_series(1, 120)"
    )
    seen, address = [], "/runs?state=succeeded"
    while address:
        text = (await admin.get(address)).text
        seen += [int(each) for each in re.findall(r'<a href="/runs/(\d+)" data-row>', text)]
        older = re.search(r'<a href="([^"]+)" rel="next">', text)
        address = older[1].replace("&amp;", "&") if older else ""

    assert len(seen) == 120
    assert seen == sorted(set(seen), reverse=True)


async def test_one_button_acts_on_all_runs_that_match(admin, query) -> None:
    query(
        "INSERT INTO runs (task, sources, mode, state, finished_at, error)"
        " SELECT 'run_pipeline_task', ARRAY['list ' || n], 'smart', 'failed', now(),"
        " CASE WHEN n <= 70 THEN 'disk full' ELSE 'other' END FROM generate_series(1, 90) n"
    )

    answer = await admin.post("/runs/matching", data={"action": "retry", "error": "disk"})

    shown = await admin.get(answer.headers["location"])
    assert "70 queued again" in shown.text
    states = query("SELECT state, count(*) AS runs FROM runs GROUP BY state ORDER BY state")
    assert states == [{"state": "failed", "runs": 20}, {"state": "queued", "runs": 70}]
    await admin.post("/runs/matching", data={"action": "cancel"})
    assert query("SELECT count(*) AS n FROM runs WHERE state = 'queued'") == [{"n": 0}]


async def test_no_link_can_forge_the_message_of_an_action(admin) -> None:
    done = await admin.post("/runs/matching", data={"action": "cancel"})
    said = done.headers["location"]
    assert "0 cancelled" in (await admin.get(said)).text

    for forged in (said.replace("0+can", "9+can"), "/runs?done=9+cancelled", "/runs?done=9."):
        answer = await admin.get(forged)
        assert answer.status_code == 200
        assert "9 cancelled" not in answer.text


async def test_a_run_that_does_not_exist_has_a_page_that_says_so(admin) -> None:
    answer = await admin.get("/runs/77")

    assert answer.status_code == 404
    assert "there is no run 77" in answer.text
    assert "just runs" in answer.text


async def test_markup_in_what_is_stored_is_shown_as_text(admin, query) -> None:
    run_id = await start(admin, source="hgnc")
    query("UPDATE runs SET error = %s, waiting_for = %s WHERE id = %s", HOSTILE, HOSTILE, run_id)
    query("UPDATE run_sources SET error = %s, source = %s", HOSTILE, HOSTILE)
    query(
        "INSERT INTO run_events (run_id, epoch, event, detail)"
        " VALUES (%s, 1, 'failed', jsonb_build_object('reason', %s::text, 'x', ARRAY[%s::text]))",
        run_id,
        HOSTILE,
        HOSTILE,
    )
    query(
        "INSERT INTO workers (kind, host, pid, version, session, heartbeat_timeout)"
        " VALUES ('arq', %s, 1, '1', 's', 30)",
        HOSTILE,
    )
    addresses = ("/", "/runs", f"/runs/{run_id}", f"/runs?error={HOSTILE}")
    for address in addresses:
        text = (await admin.get(address)).text
        assert "<script>alert" not in text
        assert "<img" not in text
        assert "alert(1)" in text


async def test_the_form_shows_what_a_run_would_do(admin, web_settings) -> None:
    form = (await admin.get("/runs/new?source=hgnc&mode=full")).text
    shown = (await admin.post("/runs/new", data={"source": "hgnc", "mode": "full"})).text

    assert 'value="hgnc" checked' in form
    assert "What this run would do" not in form
    assert 'value="hgnc" checked' in shown
    assert "<td>hgnc</td>" in shown


LINES = """
INSERT INTO attempt_logs (run_id, epoch, number, at, level, text)
SELECT %s, epoch, n, now(), 'warning', 'epoch ' || epoch || ' line ' || n || %s::text
FROM generate_series(1, 3) epoch, generate_series(31, 60) n
"""


async def test_the_last_log_lines_of_each_attempt_are_on_the_page_as_text(admin, query) -> None:
    run_id = await start(admin, source="hgnc")
    assert "No log lines are stored." in (await admin.get(f"/runs/{run_id}")).text
    query(LINES, run_id, HOSTILE)

    text = (await admin.get(f"/runs/{run_id}")).text
    assert text.count("epoch 3 line") == 30
    assert text.count("epoch 1 line") == 10
    assert "<script>alert" not in text
    assert 'href="/runs/1/log?epoch=1"' in text

    text = (await admin.get(f"/runs/{run_id}/log?epoch=1")).text
    assert text.count("epoch 1 line") == 30
    assert "30 earlier lines are not stored" in text
    assert f"<code>just log {run_id} --epoch 1</code>" in text
    assert f'href="/api/admin/runs/{run_id}/log?epoch=1"' in text
    assert (await admin.get(f"/runs/{run_id}/log?epoch=9")).status_code == 404


async def test_a_page_names_its_json_and_its_command(admin) -> None:
    run_id = await start(admin, source="hgnc")

    for address, api, command in (
        ("/", "/api/admin/worker-status", "just status --budgets"),
        ("/runs", "/api/admin/runs", "just runs"),
        (f"/runs/{run_id}", f"/api/admin/runs/{run_id}", f"just show {run_id}"),
    ):
        text = (await admin.get(address)).text
        assert f'href="{api}"' in text
        assert f"<code>{command}</code>" in text


async def test_the_form_of_a_run_names_the_call_and_the_command_that_start_it(admin) -> None:
    text = unescape((await admin.get("/runs/new?source=hgnc&mode=full")).text)

    assert "<code>POST /api/admin/runs</code>" in text
    assert '<code>{"sources": ["hgnc"], "mode": "full"}</code>' in text
    assert "<code>just annotate hgnc --mode full</code>" in text


async def test_an_address_that_does_not_exist_is_answered_as_the_reader_reads(visitor) -> None:
    page = await visitor.get("/no-such-page")
    data = await visitor.get("/no-such-page", headers={"Accept": "*/*"})

    assert page.status_code == data.status_code == 404
    assert "there is no such page" in page.text
    assert data.json()["error"].startswith("there is no such address")
