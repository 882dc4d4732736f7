"""Genes are read as they are or were, chosen by their answers, and with what the reader wants."""

from typing import Any

import pytest

FOUND = '{"germline": {"pathogenic": %d, "benign": 1}, "variants": %d}'


@pytest.fixture
def past(query, genes) -> None:
    """PKD1 has had three answers of ClinVar since January, and TTN was imported in March."""
    query("UPDATE genes SET created_at = '2025-01-01' WHERE symbol <> 'TTN'")
    query("UPDATE genes SET created_at = '2025-03-01' WHERE symbol = 'TTN'")
    for release in ("2025-01", "2025-02", "2025-03", "2025-04"):
        query(
            "INSERT INTO origins (source, release, marker, files, parser)"
            " VALUES ('clinvar', %s, %s, '[]', '1')",
            release,
            release,
        )
    past = (
        "INSERT INTO annotation_history (gene_id, source, state, data, release, valid_from,"
        " valid_to, run_id, changed_run_id, fetched_at, origin_ids, origin_since)"
        " VALUES (1, 'clinvar', %s, CAST(%s AS jsonb), %s, %s, %s, %s, %s, %s, %s, %s)"
    )
    query(past, "absent", None, "2025-01", "2025-01-01", "2025-02-01", 2, 1, "2025-01-01",
          [1], ["2025-01-01"])  # fmt: skip
    # two releases said the same
    query(past, "found", FOUND % (5, 7), "2025-03", "2025-02-01", "2025-04-01", 4, 2, "2025-03-01",
          [2, 3], ["2025-02-01", "2025-03-01"])  # fmt: skip
    present = (
        "INSERT INTO annotations (gene_id, source, state, data, release, fetched_at, valid_from,"
        " changed_run_id, checked_state, origin_id, origin_ids, origin_since) SELECT id, %s, %s,"
        " CAST(%s AS jsonb), %s, %s, %s, %s, %s, %s, %s, %s FROM genes WHERE symbol = %s"
    )
    query(present, "clinvar", "found", FOUND % (12, 15), "2025-04", "2025-04-01", "2025-04-01", 4,
          "found", 4, [4], ["2025-04-01"], "PKD1")  # fmt: skip
    query(present, "clinvar", "found", FOUND % (90, 200), "2025-03", "2025-03-01", "2025-03-01", 3,
          "found", 3, [3], ["2025-03-01"], "TTN")  # fmt: skip
    query(present, "pubmed", "absent", None, "2025-03-01", "2025-03-01", "2025-03-01", 3,
          "absent", None, [], [], "TTN")  # fmt: skip
    query(
        "INSERT INTO snapshots (name, at, by, manifest) VALUES ('march', '2025-03-15', 'me', '{}')"
    )
    query("INSERT INTO gene_lists (name, by) VALUES ('cysts', 'me')")
    query("INSERT INTO gene_list_genes VALUES (1, 'HGNC:9008'), (1, 'HGNC:24456'), (1, 'HGNC:5')")


async def clinvar(api: Any, **params: Any) -> Any:
    answer = await api.get("/api/genes/PKD1", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()["annotations"]["clinvar"]


async def test_a_gene_is_shown_as_it_was(api, past) -> None:
    now = await clinvar(api)
    assert (now["data"]["variants"], now["release"], now["checked_state"]) == (
        15,
        "2025-04",
        "found",
    )
    for params in (
        {"as_of": "2025-03-14"},
        {"as_of": "2025-03-15T12:00:00Z"},
        {"snapshot": "march"},
    ):
        then = await clinvar(api, **params)
        assert (then["state"], then["data"]["germline"]["pathogenic"]) == ("found", 5)
        assert then["release"] == "2025-03"
        assert then["valid_from"] == "2025-02-01T00:00:00+00:00"
        assert then["fetched_at"] == "2025-03-01T00:00:00+00:00"
        assert (then["checked_state"], then["checked_at"]) == (None, None)
    in_february = await clinvar(api, as_of="2025-02-10")
    assert (in_february["data"], in_february["release"]) == (then["data"], "2025-02")
    in_january = await clinvar(api, as_of="2025-01-10")
    assert (in_january["state"], in_january["data"]) == ("absent", None)


async def test_a_gene_that_was_imported_later_was_not_there(api, past) -> None:
    answer = await api.get("/api/genes/TTN", params={"as_of": "2025-02-10"})
    assert answer.status_code == 404
    assert "TTN (HGNC:12403) was not in this database at 2025-02-11" in answer.json()["error"]
    page = (await api.get("/api/genes", params={"as_of": "2025-02-10"})).json()
    assert [gene["symbol"] for gene in page["genes"]] == ["PKD1", "C1orf112"]
    before = (await api.get("/api/genes", params={"as_of": "2024-06-01"})).json()
    assert before == {"genes": [], "next_after": None}


async def test_the_symbol_is_that_of_the_moment(api, past, query) -> None:
    query(
        "INSERT INTO gene_events (gene_id, at, event, detail) VALUES"
        """ (1, '2025-03-20', 'renamed', '{"from": "OLD1", "to": "PKD1"}')"""
    )
    gene = (await api.get("/api/genes/PKD1", params={"snapshot": "march"})).json()
    assert (gene["symbol"], gene["hgnc_id"]) == ("OLD1", "HGNC:9008")


async def test_only_the_requested_fields_are_returned(api, past) -> None:
    gene = (await api.get("/api/genes/TTN", params={"sources": "pubmed"})).json()
    assert list(gene["annotations"]) == ["pubmed"]
    cut = (await api.get("/api/genes/TTN", params={"fields": "clinvar.germline.pathogenic"})).json()
    assert list(cut["annotations"]) == ["clinvar"]
    assert cut["annotations"]["clinvar"]["data"] == {"germline": {"pathogenic": 90}}
    assert cut["annotations"]["clinvar"]["release"] == "2025-03"
    both = {"fields": "clinvar.variants,clinvar.germline", "sources": "pubmed"}
    gene = (await api.get("/api/genes/TTN", params=both)).json()
    assert gene["annotations"]["pubmed"]["data"] is None
    assert gene["annotations"]["clinvar"]["data"]["variants"] == 200
    assert gene["annotations"]["clinvar"]["data"]["germline"]["benign"] == 1
    absent = await clinvar(api, fields="clinvar.germline.pathogenic", as_of="2025-01-10")
    assert absent["data"] is None


@pytest.mark.parametrize(
    ("params", "symbols"),
    [
        ({"source": "clinvar"}, ["PKD1", "TTN"]),
        ({"source": "clinvar", "state": "absent"}, []),
        ({"source": "clinvar", "state": "absent", "as_of": "2025-01-10"}, ["PKD1"]),
        ({"source": "pubmed", "state": "absent"}, ["TTN"]),
        ({"changed_since": "2025-03-10"}, ["PKD1"]),
        ({"changed_since": "2025-02-10"}, ["PKD1", "TTN"]),
        ({"changed_since": "2025-02-10", "snapshot": "march"}, ["TTN"]),
        ({"changed_since": "2025-02-10", "source": "pubmed"}, ["TTN"]),
        ({"list": "cysts"}, ["PKD1", "C1orf112"]),
        ({"where": "clinvar.germline.pathogenic>=90"}, ["TTN"]),
        ({"where": ["clinvar.germline.pathogenic>5", "clinvar.variants<100"]}, ["PKD1"]),
        ({"where": "clinvar.germline.pathogenic=5", "snapshot": "march"}, ["PKD1"]),
        ({"list": "cysts", "where": "clinvar.germline.pathogenic>=90"}, []),
        ({"order": "symbol"}, ["C1orf112", "PKD1", "TTN"]),
        ({"order": "-symbol"}, ["TTN", "PKD1", "C1orf112"]),
        ({"order": "hgnc_id"}, ["PKD1", "TTN", "C1orf112"]),
        ({"order": "-import"}, ["TTN", "C1orf112", "PKD1"]),
    ],
    ids=str,
)
async def test_genes_are_chosen_and_ordered(api, past, params, symbols) -> None:
    page = await api.get("/api/genes", params=params)
    assert page.status_code == 200, page.text
    assert [gene["symbol"] for gene in page.json()["genes"]] == symbols


@pytest.mark.parametrize("order", ["import", "-import", "symbol", "-symbol", "hgnc_id", "-hgnc_id"])
@pytest.mark.parametrize("moment", [{}, {"snapshot": "march"}], ids=["now", "then"])
async def test_pages_follow_each_other_in_every_order(api, past, order, moment) -> None:
    whole = (await api.get("/api/genes", params={"order": order, **moment})).json()["genes"]
    found: list[str] = []
    after: dict[str, int] = {}
    while True:
        params = {"order": order, "limit": 1, **moment, **after}
        page = (await api.get("/api/genes", params=params)).json()
        found += [gene["symbol"] for gene in page["genes"]]
        if page["next_after"] is None:
            break
        after = {"after": page["next_after"]}
    assert found == [gene["symbol"] for gene in whole]
    assert len(found) == 3


async def test_the_history_of_a_gene_names_runs_and_releases(api, past) -> None:
    history = (await api.get("/api/genes/PKD1/history")).json()
    assert history["gene"]["hgnc_id"] == "HGNC:9008"
    versions = history["versions"]
    assert [each["state"] for each in versions] == ["found", "found", "absent"]
    assert [each["release"] for each in versions] == ["2025-04", "2025-03", "2025-01"]
    assert [each["run_id"] for each in versions] == [4, 2, 1]
    assert [each["replaced_by_run_id"] for each in versions] == [None, 4, 2]
    assert versions[0]["valid_to"] is None
    assert versions[1]["valid_to"] == versions[0]["valid_from"] == "2025-04-01T00:00:00+00:00"
    assert [each["release"] for each in versions[1]["releases"]] == ["2025-02", "2025-03"]
    assert versions[1]["data"]["germline"]["pathogenic"] == 5


async def test_the_history_is_read_by_pages_without_data_and_until_a_moment(api, past) -> None:
    found: list[Any] = []
    after: dict[str, str] = {}
    while True:
        params = {"limit": 1, "data": "false", **after}
        page = (await api.get("/api/genes/PKD1/history", params=params)).json()
        found += page["versions"]
        if page["next_after"] is None:
            break
        after = {"after": page["next_after"]}
    assert [each["valid_from"][:7] for each in found] == ["2025-04", "2025-02", "2025-01"]
    assert all("data" not in each for each in found)
    until = (await api.get("/api/genes/PKD1/history", params={"snapshot": "march"})).json()
    assert [each["release"] for each in until["versions"]] == ["2025-03", "2025-01"]
    cut = {"fields": "clinvar.variants", "limit": 1}
    newest = (await api.get("/api/genes/PKD1/history", params=cut)).json()["versions"][0]
    assert newest["data"] == {"variants": 15}
    none = (await api.get("/api/genes/PKD1/history", params={"sources": "gnomad"})).json()
    assert (none["versions"], none["next_after"]) == ([], None)
    assert (await api.get("/api/genes/NOSUCH/history")).status_code == 404


@pytest.mark.parametrize(
    ("params", "found", "hint"),
    [
        ({"source": "clinva"}, "there is no source 'clinva'", "did you mean clinvar?"),
        ({"sources": "clinvar,gnomat"}, "there is no source 'gnomat'", "did you mean gnomad?"),
        ({"fields": "clinvar.varients"}, "'clinvar.varients'", "did you mean clinvar.variants?"),
        ({"fields": 'gtex.tissues_tpm."\0"'}, "the name", ""),
        ({"where": "clinvar.varients>1"}, "'clinvar.varients'", "did you mean clinvar.variants?"),
        ({"where": "clinvar.variants>x"}, "", ""),
        ({"where": "hgnc.symbol=\0"}, "", ""),
        ({"snapshot": "mars"}, "there is no snapshot 'mars'", "did you mean march?"),
        ({"snapshot": "\0"}, "", ""),
        ({"list": "cyst"}, "'cyst'", "did you mean cysts?"),
        ({"list": "\0"}, "", ""),
        ({"as_of": "march"}, "as_of is 'march'", ""),
        ({"as_of": "9999-12-31"}, "as_of is '9999-12-31'", ""),
        ({"as_of": "2025-03-01", "snapshot": "march"}, "as_of and snapshot are both given", ""),
        ({"changed_since": "yesterday"}, "changed_since is 'yesterday'", ""),
        ({"state": "found"}, "state is given without source", ""),
        ({"source": "clinvar", "state": "fond"}, "there is no state 'fond'", "did you mean found?"),
        ({"order": "symbl"}, "there is no order 'symbl'", "did you mean symbol?"),
        ({"order": "symbol", "after": 77}, "after=77", ""),
    ],
    ids=str,
)
async def test_an_unreadable_value_is_refused_with_the_readable_form(
    api, past, params, found, hint
) -> None:
    answer = await api.get("/api/genes", params=params)
    assert answer.status_code == 422, answer.text
    assert found in answer.json()["error"]
    assert hint in answer.json()["error"]
    assert answer.json()["allowed"]


@pytest.mark.parametrize("after", ["x", "clinvar", "clinvar@x", "@2025-01-01T00:00:00Z", "\0@x"])
async def test_a_wrong_place_in_the_history_is_refused(api, past, after) -> None:
    answer = await api.get("/api/genes/PKD1/history", params={"after": after})
    assert answer.status_code == 422
    assert answer.json()["allowed"] == "next_after of the previous page"
