"""The timeline of a run, drawn from the database and zoomed by links."""

import re

import pytest

from app.core.runs.parts import source_parts
from tests.integration.conftest import Bench

HOSTILE = "<script>alert(1)</script>"

RUN = """
WITH worker AS (
  INSERT INTO workers (kind, host, pid, version, session, heartbeat_timeout)
  VALUES ('arq', %s, 1, '1', 's', 30) RETURNING id
), run AS (
  INSERT INTO runs (task, sources, mode, state, epoch, finished_at)
  VALUES ('t', '{hgnc}', 'smart', 'succeeded', 2, now()) RETURNING id
), source AS (
  INSERT INTO run_sources (run_id, source, position, state, active, attempt_started_at, finished_at)
  SELECT id, 'hgnc', 1, 'succeeded', false, '2026-11-24T12:00:13Z', '2026-11-24T12:00:21Z' FROM run
), happened AS (
  INSERT INTO run_events (run_id, epoch, event, at, detail)
  SELECT run.id, epoch, event, at, jsonb_build_object('worker', worker.id)
  FROM run, worker, (VALUES
    (1, 'claimed', timestamptz '2026-11-24T12:00:02Z'), (1, 'lost', '2026-11-24T12:00:12Z'),
    (2, 'taken over', '2026-11-24T12:00:12.6Z'), (2, 'succeeded', '2026-11-24T12:00:22Z'))
    AS t (epoch, event, at)
)
SELECT id FROM run
"""


@pytest.fixture
def run_id(query) -> int:
    """A run that lost its worker once."""
    return int(query(RUN, HOSTILE)[0]["id"])


def links(text: str) -> dict[str, str]:
    (zooms,) = re.findall(r'<nav class="zooms".*?</nav>', text, re.DOTALL)
    found = re.findall(r'<a href="([^"]+)">([^<]+)</a>', zooms)
    return {label: href.replace("&amp;", "&").partition("#")[0] for href, label in found}


async def test_links_lead_into_the_timeline_and_back(admin, run_id) -> None:
    whole = (await admin.get(f"/runs/{run_id}")).text
    assert ">0.60 s<" in whole
    assert "no worker for 0.60 s" in whole
    assert "hgnc succeeded, 8.0 s" in whole

    closer = (await admin.get(links(whole)["Zoom in"])).text
    assert "2026-11-24 12:00:07 UTC" in closer
    later = (await admin.get(links(closer)["Later"])).text
    assert ">12:00:16<" in later
    assert links(later)["Whole run"] == f"/runs/{run_id}"


@pytest.mark.parametrize("asked", ["from=2026-11-25", "from=yesterday", "to=2026-11-24T12:00:02Z"])
async def test_a_wrong_window_is_explained(admin, run_id, asked) -> None:
    answer = await admin.get(f"/runs/{run_id}?{asked}")

    assert answer.status_code == 422


async def test_a_host_is_shown_as_text(admin, run_id) -> None:
    text = (await admin.get(f"/runs/{run_id}")).text

    assert HOSTILE not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text


async def test_a_live_page_keeps_its_window(admin, run_id, query) -> None:
    query("UPDATE runs SET state = 'queued' WHERE id = %s", run_id)
    asked = "from=2026-11-24T12:00:14Z&to=2026-11-24T12:00:20Z"

    text = (await admin.get(f"/runs/{run_id}?{asked}")).text

    (live,) = re.findall(r'hx-sse:connect="([^"]+)"', text)
    assert live.replace("&amp;", "&") == f"/live/runs/{run_id}?{asked}"


async def test_runs_with_many_events_are_drawn_from_the_last_of_them(admin, run_id, query) -> None:
    query(
        "INSERT INTO run_events (run_id, epoch, event, at, detail)"
        " SELECT %s, n / 2 + 3, CASE n %% 2 WHEN 0 THEN 'claimed' ELSE 'waiting' END,"
        " timestamptz '2026-11-25T00:00:00Z' + n * interval '1 minute', '{\"worker\": 1}'"
        " FROM generate_series(0, 599) n",
        run_id,
    )

    text = (await admin.get(f"/runs/{run_id}")).text

    assert "Events before 2026-11-25 01:40:00 UTC are not drawn" in text
    assert text.count('<rect class="attempt waiting"') == 250


async def test_the_times_of_earlier_attempts_with_a_source_are_kept(bench: Bench, query) -> None:
    run_id = (await bench.request(["a", "b"])).ref.run_id
    for second in range(130):
        query(
            "UPDATE run_sources SET state = 'running', finished_at = NULL, attempt_started_at ="
            " timestamptz '2026-11-24T12:00:00Z' + %s * interval '1 second' WHERE source = 'a'",
            second,
        )
        query("UPDATE run_sources SET done = done + 1")
    query("UPDATE run_sources SET state = 'failed', finished_at = '2026-11-24T13:00:00Z'")
    query("UPDATE run_sources SET state = 'queued', attempt_started_at = NULL")

    async with bench.db.connect() as connection:
        parts = await source_parts(connection, run_id)

    assert {part.source for part in parts} == {"a"}
    assert len(parts) == 100
    assert (parts[0].begin.minute, parts[0].begin.second, parts[0].end) == (0, 30, None)
    last = parts[-1]
    assert (last.begin.minute, last.begin.second, last.state) == (2, 9, "failed")
    assert last.end is not None
    assert last.end.hour == 13
