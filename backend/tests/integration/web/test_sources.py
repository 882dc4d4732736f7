"""The pages of the sources: stored and held answers, and the last runs."""

import re

import pytest

from app.annotation.sources import SOURCES

HOSTILE = "<script>alert(1)</script>"
EVIL_ADDRESS = "javascript:alert(1)"

ANSWERS = """
INSERT INTO annotations (gene_id, source, state, release, checked_state, checked_at)
SELECT id, 'clinvar', CASE symbol WHEN 'PKD1' THEN 'found' ELSE 'absent' END, '2026-11-01',
  'found', now() - interval '2 days'
FROM genes WHERE symbol <> 'TTN'
"""

RELEASES = """
INSERT INTO source_releases (source, "of", release, marker, address)
VALUES ('clinvar', 'file', '2026-11-08', 'x', 'https://example.org/table')
"""


def run(query, source: str, state: str = "succeeded", **values) -> int:
    """Insert an ended run of a source."""
    (row,) = query(
        "INSERT INTO runs (task, mode, state, finished_at)"
        " VALUES ('t', 'smart', %s, now()) RETURNING id",
        "failed" if state == "held" else state,
    )
    query(
        "INSERT INTO run_sources (run_id, source, position, state, active, requests, changed,"
        " error, finished_at) VALUES (%s, %s, 1, %s, false, %s, %s, %s, now())",
        *(row["id"], source, state, values.get("requests", 0), values.get("changed", 0)),
        values.get("error"),
    )
    found: int = row["id"]
    return found


async def words(browser, address: str) -> str:
    text = re.sub(r"<[^>]+>", " ", (await browser.get(address)).text)
    return " ".join(text.split())


async def test_the_list_has_every_source_with_its_answers(admin, query) -> None:
    query(ANSWERS)
    query(RELEASES)

    page = (await admin.get("/sources")).text
    names = re.findall(r'<a href="/sources/(\w+)" data-row>', page)
    assert names == list(SOURCES)
    text = await words(admin, "/sources")
    assert "clinvar 2026-11-01 2026-11-08 newer" in text
    assert "1 found , 1 absent , 1 missing" in text
    assert 'aria-label="found: 1, absent: 1, unknown: 0, missing: 1"' in page


async def test_a_source_shows_its_releases_licence_coverage_and_what_is_due(admin, query) -> None:
    query(ANSWERS)
    query(RELEASES)
    found = (await admin.get("/api/sources/clinvar")).json()

    text = await words(admin, "/sources/clinvar")
    assert f"Licence {found['licence']}" in text
    assert f"Attribution {found['attribution']}" in text
    assert "2026-11-08 what the file has now" in text
    assert "https://example.org/table" in text
    assert "2026-11-01 stored 2 genes, not current" in text
    assert "Missing 1: not asked about yet" in text
    assert f"Due {found['due']}for the last known release" in text
    assert "2 days (median)" in text


async def test_the_numbers_of_the_last_runs_are_drawn_and_summarized(admin, query) -> None:
    for requests, changed in ((1_200, 0), (7, 3)):
        latest = run(query, "hgnc", requests=requests, changed=changed)

    page = (await admin.get("/sources/hgnc")).text
    assert f"<title>run {latest}: 7 requests</title>" in page
    assert "requests in the last 2 runs: 7 to 1,200; in the latest: 7" in page
    assert "changed answers in the last 2 runs: 0 to 3; in the latest: 3" in page
    assert f'href="/runs/{latest}" data-row' in page
    assert "latest: 7" in (await admin.get("/sources")).text


async def test_what_is_held_is_accepted_from_the_page_of_its_source(admin, query) -> None:
    held = run(query, "hgnc", "held", error="only 3 rows")
    query("""UPDATE run_sources SET held = '{"reason": "r", "genes": 1, "examples": [],
        "files": []}'""")

    page = (await admin.get("/sources/hgnc")).text
    assert "only 3 rows" in page
    assert f'action="/runs/{held}/accept"' in page
    assert "held" in await words(admin, "/sources")
    await admin.post(f"/runs/{held}/accept", data={"source": "hgnc", "by": "Ada"})
    assert query("SELECT state FROM runs") == [{"state": "queued"}]
    assert f'action="/runs/{held}/accept"' not in (await admin.get("/sources/hgnc")).text


async def test_a_service_for_which_a_run_waits_is_named(admin, query) -> None:
    answer = await admin.post("/runs", data={"source": "hgnc"})
    run_id = int(answer.headers["location"].removeprefix("/runs/"))
    host = SOURCES["hgnc"].info.hosts[0].name
    query("UPDATE runs SET waiting_for = %s", host)
    query(
        "INSERT INTO run_events (run_id, epoch, event, detail) VALUES (%s, 1, 'waiting',"
        " jsonb_build_object('waiting_for', %s::text, 'reason', 'sent an empty body'))",
        run_id,
        host,
    )

    text = await words(admin, "/sources/hgnc")
    assert f"The service {host} does not answer, and run {run_id} has been waiting" in text
    assert "It sent an empty body." in text
    assert "does not answer" in await words(admin, "/sources")
    (outage,) = (await admin.get("/api/sources/hgnc")).json()["outages"]
    assert (outage["host"], outage["run_id"]) == (host, run_id)


async def test_a_refresh_begins_with_a_forecast(admin) -> None:
    page = (await admin.get("/sources/hgnc")).text

    assert 'action="/runs/new"' in page
    assert '<input type="hidden" name="source" value="hgnc">' in page


async def test_a_viewer_reads_and_cannot_refresh_or_accept(viewer, query) -> None:
    run(query, "hgnc", "held", error="only 3 rows")

    page = (await viewer.get("/sources/hgnc")).text
    assert "only 3 rows" in page
    assert "<button>Refresh" not in page
    assert "/accept" not in page


async def test_numbers_are_counted_again_when_a_run_has_ended(admin, query) -> None:
    assert "3 missing" in await words(admin, "/sources/hgnc")
    query(ANSWERS.replace("clinvar", "hgnc"))
    run(query, "hgnc")

    assert "1 found , 1 absent , 1 missing" in await words(admin, "/sources/hgnc")


async def test_an_unknown_source_is_answered_with_those_that_exist(admin) -> None:
    answer = await admin.get("/sources/clinva")

    assert answer.status_code == 404
    assert "did you mean clinvar?" in answer.text


@pytest.mark.parametrize("address", ["/sources", "/sources/mine", "/sources/hgnc"])
async def test_markup_in_a_source_is_shown_as_text(admin, query, address) -> None:
    query(
        "INSERT INTO own_tables (name, title, licence, release, file_name, digest, bytes, rows,"
        " genes, columns, keys, added_by) VALUES ('mine', %s, %s, %s, %s, 'x', 1, 1, 1, '{}',"
        " '{hgnc_id}', %s)",
        *(HOSTILE, HOSTILE, HOSTILE, EVIL_ADDRESS, HOSTILE),
    )
    query(RELEASES.replace("clinvar", "mine").replace("https://example.org/table", EVIL_ADDRESS))
    query(ANSWERS.replace("clinvar", "mine").replace("'2026-11-01'", f"'{HOSTILE}'"))
    run(query, "mine", "held", error=HOSTILE)
    run(query, "hgnc", "failed", error=HOSTILE)

    text = (await admin.get(address)).text
    assert "<script>alert" not in text
    assert 'href="javascript:' not in text
    assert "mine" in text or "alert(1)" in text
