"""What changed, over HTTP."""

import csv
import io
import json
from typing import Any

import httpx
import pytest

from app.annotation.data.changes import ChangePage
from tests.integration import changed
from tests.integration.conftest import Query

BETWEEN = {"from": "january", "to": "february"}


@pytest.fixture
def history(query: Query, genes: None) -> None:
    changed.change(query)


async def texts(api: httpx.AsyncClient, **params: Any) -> list[str]:
    answer = await api.get("/api/changes", params=params)
    assert answer.status_code == 200, answer.text
    return [each["text"] for each in answer.json()["changes"]]


PKD1 = "PKD1 clinvar: pathogenic 512 -> 519, conflicting 41 -> 40"
FIRRM = "FIRRM gene: renamed C1orf112 -> FIRRM"
ENSEMBL = "TTN ensembl: first answer, found"
HPO = "TTN hpo: absent -> found; added term HP:0000107 Renal cyst"
ALL = [PKD1, FIRRM, ENSEMBL, HPO]


async def test_the_changes_between_two_snapshots_in_words(api, history) -> None:
    assert await texts(api, **BETWEEN) == ALL


async def test_a_snapshot_a_day_and_a_time_mean_moments(api, history) -> None:
    assert await texts(api, **{"from": "2026-01-31"}) == ALL
    assert await texts(api, **{"from": "2026-02-09", "to": "2026-02-10T12:00:00Z"}) == [PKD1, HPO]
    # the end of the day
    assert await texts(api, **{"from": "2026-02-10", "to": "february"}) == [FIRRM, ENSEMBL, *GENCC]
    assert await texts(api, **{"from": "2026-02-09", "to": "2026-02-10"}) == [PKD1, HPO]
    # its beginning
    assert await texts(api, since="2026-02-15") == [ENSEMBL, *GENCC]
    assert await texts(api, since="2026-02-15T12:00:00Z") == [*GENCC]


GENCC = ["TTN gencc: strongest classification Limited -> Strong"]


async def test_an_answer_that_changed_back_is_no_difference_and_each_way_is(api, history) -> None:
    assert await texts(api, **BETWEEN, source="gencc") == []
    half = {"from": "january", "to": "2026-02-05"}
    assert await texts(api, **half) == ["TTN gencc: strongest classification Strong -> Limited"]


async def test_the_changes_of_a_run(api, history) -> None:
    assert await texts(api, run=changed.RUN) == ALL


async def test_volatile_fields_are_listed_only_on_request(api, history) -> None:
    found = await texts(api, **BETWEEN, moving="true")
    assert found == [f"{PKD1}, last evaluated 2025-12-01 -> 2026-01-20",
                     "PKD1 pubmed: articles 1 -> 2", *ALL[1:]]  # fmt: skip


async def test_filters(api, history) -> None:
    assert await texts(api, **BETWEEN, source="clinvar") == [PKD1]
    assert await texts(api, **BETWEEN, gene="hgnc:12403") == [ENSEMBL, HPO]
    assert await texts(api, **BETWEEN, gene="FIRRM") == [FIRRM]
    assert await texts(api, **BETWEEN, list="kidney") == [PKD1]
    assert await texts(api, run=changed.RUN, list="kidney", source="hpo") == []


async def test_a_change_shows_its_run_and_the_difference(api, history) -> None:
    answer = await api.get("/api/changes", params={**BETWEEN, "gene": "PKD1"})
    (change,) = answer.json()["changes"]
    assert change == {
        "hgnc_id": "HGNC:9008", "symbol": "PKD1", "source": "clinvar", "kind": "changed",
        "at": "2026-02-10T12:00:00Z", "run_id": changed.RUN, "rollback_id": None,
        "state_before": "found", "state": "found", "release_before": "R1", "release": "R2",
        "event": None, "detail": None, "text": PKD1,
        "fields": [
            {"field": "clinvar.germline.pathogenic", "change": "altered", "from": 512, "to": 519},
            {"field": "clinvar.germline.conflicting", "change": "altered", "from": 41, "to": 40},
        ],
    }  # fmt: skip


async def test_the_answer_is_as_it_is_documented(api, history) -> None:
    body = (await api.get("/api/changes", params={**BETWEEN, "moving": True})).json()
    page = ChangePage.model_validate(body, extra="forbid")
    assert page.model_dump(mode="json", by_alias=True, exclude_unset=True) == body


async def test_a_rollback_is_named(api, history, query) -> None:
    query("INSERT INTO rollbacks (source, \"to\", genes, by) VALUES ('clinvar', now(), 1, 'Ada')")
    query("UPDATE annotation_history SET run_id = NULL, rollback_id = 1 WHERE source = 'clinvar'")
    query("UPDATE annotations SET changed_run_id = NULL WHERE source = 'clinvar'")
    assert await texts(api, **BETWEEN, source="clinvar") == [f"{PKD1}; by rollback 1"]


async def test_pages_follow_each_other_by_key(api, history) -> None:
    found: list[str] = []
    after: dict[str, str] = {}
    for _ in ALL:
        page = (await api.get("/api/changes", params={**BETWEEN, "limit": 1, **after})).json()
        found += [each["text"] for each in page["changes"]]
        after = {"after": page["next_after"]}
    assert found == ALL
    assert page["next_after"] is None


async def test_the_changes_of_a_source_come_together_if_that_is_the_order(api, history) -> None:
    ordered = {**BETWEEN, "order": "source"}
    assert await texts(api, **ordered) == [FIRRM, PKD1, ENSEMBL, HPO]
    found: list[str] = []
    after: dict[str, str] = {}
    for _ in ALL:
        page = (await api.get("/api/changes", params={**ordered, "limit": 1, **after})).json()
        found += [each["text"] for each in page["changes"]]
        after = {"after": page["next_after"]}
    assert found == [FIRRM, PKD1, ENSEMBL, HPO]
    lines = await api.get("/api/changes", params={**ordered, "format": "jsonl"})
    assert [json.loads(line)["text"] for line in lines.text.splitlines()] == found


async def test_a_page_skips_many_changes_of_volatile_fields_only(api, history, query) -> None:
    query(
        """
        WITH added AS (
          INSERT INTO genes (hgnc_id, symbol, created_at)
          SELECT 'HGNC:9' || n, 'MOVED' || n, '2026-01-05' FROM generate_series(1000, 1200) n
          RETURNING id
        ), former AS (
          INSERT INTO annotation_history (gene_id, source, state, data, valid_from, valid_to,
            origin_ids, origin_since)
          SELECT id, 'pubmed', 'found', '{"articles": 1}', '2026-01-10', '2026-02-10', '{}', '{}'
          FROM added
        )
        INSERT INTO annotations (gene_id, source, state, data, valid_from, checked_state)
        SELECT id, 'pubmed', 'found', '{"articles": 2}', '2026-02-10', 'found' FROM added
        """
    )
    query("UPDATE gene_events SET gene_id = (SELECT max(id) FROM genes)")
    query("DELETE FROM annotations WHERE source IN ('ensembl', 'hpo')")
    answer = await api.get("/api/changes", params={**BETWEEN, "limit": 1})
    after = answer.json()["next_after"]
    answer = await api.get("/api/changes", params={**BETWEEN, "limit": 1, "after": after})
    (change,) = answer.json()["changes"]
    assert (change["event"], answer.json()["next_after"]) == ("renamed", None)


async def test_changes_are_counted_by_source(api, history) -> None:
    answer = await api.get("/api/changes/counts", params={**BETWEEN, "list": "kidney"})
    assert answer.json() == {
        "sources": [
            {
                "source": "clinvar", "genes": 1, "changed": 1, "first_answers": 0, "events": 0,
                "gained": {"gained a pathogenic variant": 1},
            }
        ]
    }  # fmt: skip
    answer = await api.get("/api/changes/counts", params={"run": changed.RUN})
    assert [(each["source"], each["events"]) for each in answer.json()["sources"]] == [
        (None, 1), ("clinvar", 0), ("ensembl", 0), ("hpo", 0),
    ]  # fmt: skip
    refused = await api.get("/api/changes/counts", params={"limit": 1})
    assert refused.status_code == 422


@pytest.mark.parametrize(
    "how", [{"params": {"format": "jsonl"}}, {"headers": {"Accept": "application/x-ndjson"}}]
)
async def test_lines_of_json(api, history, how) -> None:
    params = {**BETWEEN, **how.get("params", {})}
    answer = await api.get("/api/changes", params=params, headers=how.get("headers"))
    assert answer.headers["content-type"] == "application/jsonl"
    page = (await api.get("/api/changes", params=BETWEEN)).json()["changes"]
    assert [json.loads(line) for line in answer.text.splitlines()] == page


async def table(api: httpx.AsyncClient, **params: Any) -> list[dict[str, str]]:
    accept = {"Accept": "text/tab-separated-values"}
    answer = await api.get("/api/changes", params=params, headers=accept)
    assert answer.headers["content-type"].startswith("text/tab-separated-values")
    return list(csv.DictReader(io.StringIO(answer.text), delimiter="\t", quoting=csv.QUOTE_NONE))


async def test_a_table_has_a_row_for_each_changed_field(api, history) -> None:
    rows = await table(api, **BETWEEN)
    shown = [(row["symbol"], row["field"], row["change"], row["from"], row["to"]) for row in rows]
    assert shown == [
        ("PKD1", "clinvar.germline.pathogenic", "altered", "512", "519"),
        ("PKD1", "clinvar.germline.conflicting", "altered", "41", "40"),
        ("FIRRM", "", "", "C1orf112", "FIRRM"),
        ("TTN", "", "", "", ""),
        ("TTN", "hpo.terms", "added", "", "Renal cyst"),
    ]
    assert (rows[-1]["element"], rows[-1]["state_before"]) == ("HP:0000107", "absent")


async def test_no_cell_is_a_formula(api, history, query) -> None:
    query("""UPDATE annotations SET data = '{"name": "=1+1\\t\\n", "score": -1}'
        WHERE source = 'clinvar'""")
    rows = await table(api, **BETWEEN, source="clinvar")
    assert [row["to"] for row in rows if row["field"] == "clinvar.name"] == ["'=1+1  "]
    assert [row["to"] for row in rows if row["field"] == "clinvar.score"] == ["-1"]


async def test_data_of_a_former_version_are_shown_as_they_are(api, history, query) -> None:
    query("""UPDATE annotation_history SET data = '{"germline": 5, "old": [1]}'
        WHERE source = 'clinvar'""")
    query("UPDATE annotation_history SET source = 'retired' WHERE source = 'hpo'")
    query("UPDATE annotations SET source = 'retired' WHERE source = 'hpo'")
    (clinvar, *_, retired) = await texts(api, **BETWEEN)
    assert clinvar.startswith(
        "PKD1 clinvar: germline 5 -> pathogenic 519, conflicting 40, old 1 ->"
    )
    assert retired == "TTN retired: absent -> found; HP:0000107 none -> Renal cyst"


async def test_before_the_first_import_everything_is_new(api, history) -> None:
    found = await texts(api, since="1990-01-01")
    assert found[0] == "PKD1 gene: imported"
    assert "TTN gencc: first answer, found" in found
    assert await texts(api, **{"from": "1990-01-01", "to": "1990-01-02"}) == []
    answer = await api.get("/api/changes", params={"since": "1990-01-01", "to": "1990"})
    assert answer.status_code == 422


async def test_without_a_time_the_last_week_is_meant(api, history) -> None:
    assert await texts(api) == []


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"source": "clinvr"}, "did you mean clinvar?"),
        ({"gene": "PDK1"}, "did you mean PKD1?"),
        ({"list": "none"}, "none"),
        ({"run": "999"}, "there is no run 999"),
        ({"since": "yesterday"}, "a day (2026-03-31)"),
        ({"since": "2999-01-01"}, "2999"),
        ({"from": "januray"}, "did you mean january?"),
        ({"from": "2026-02-30"}, "2026-02-30"),
        ({"from": "february", "to": "january"}, "from is later than to"),
        ({"to": "february"}, "to is given without from"),
        ({"since": "2026-01-01", "run": "7"}, "since and run exclude each other"),
        ({"format": "tvs"}, "did you mean tsv?"),
        ({"after": "x"}, "next_after of the previous page"),
        ({"limit": "5", "format": "tsv"}, "limit with format=tsv"),
        ({"until": "2026-01-01"}, "unknown query parameter"),
        ({"gene": "\0", "from": "\0"}, "'\\x00'"),
    ],
)
async def test_an_unanswerable_query_is_refused(api, history, params, said) -> None:
    answer = await api.get("/api/changes", params=params)
    assert answer.status_code == 422
    body = answer.json()
    assert said in f"{body['error']} {body['allowed']}"


async def test_a_time_of_which_the_history_was_removed_is_refused(api, history, query) -> None:
    query("INSERT INTO history_horizon VALUES ('clinvar', '2026-02-15')")
    for params in ({"since": "2026-02-01"}, {"run": changed.RUN}, {"from": "2026-02-01"}):
        answer = await api.get("/api/changes", params=params)
        assert answer.status_code == 422
        assert "incomplete" in answer.json()["error"]
    assert await texts(api, **BETWEEN) == ALL
    # the last week is a time, too: what was removed would be shown as first answers
    query("UPDATE history_horizon SET complete_since = now() - interval '1 day'")
    answer = await api.get("/api/changes")
    assert answer.status_code == 422
    assert "incomplete" in answer.json()["error"]


async def test_the_calls_of_the_page_about_changes_answer(api, history) -> None:
    calls = [*changed.commands_of_the_page("curl")]
    assert calls
    for call in calls:
        headers = dict(each.split(": ") for each in call if each.startswith("Accept: "))
        answer = await api.get(call[-1].removeprefix("http://localhost:8000"), headers=headers)
        assert answer.status_code == 200, call
        said = ("PKD1 clinvar", "\tPKD1\tclinvar", "gained a pathogenic variant")
        assert any(each in answer.text for each in said), call


async def test_pages_go_on_across_genes_that_lie_far_apart(api, history, query) -> None:
    query("UPDATE genes SET created_at = '2026-01-05'")
    query(
        "INSERT INTO genes (id, hgnc_id, symbol, created_at) OVERRIDING SYSTEM VALUE"
        " SELECT n, 'HGNC:8' || n, 'FAR' || n, '2026-02-03' FROM unnest('{1000, 7000}'::int[]) n"
    )
    found: list[str] = []
    after: dict[str, str] = {}
    while True:
        page = (await api.get("/api/changes", params={**BETWEEN, "limit": 2, **after})).json()
        found += [each["text"] for each in page["changes"]]
        if page["next_after"] is None:
            break
        after = {"after": page["next_after"]}
    assert found == [*ALL, "FAR1000 gene: imported", "FAR7000 gene: imported"]
