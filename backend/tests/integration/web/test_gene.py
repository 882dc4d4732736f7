"""The page of a gene: its names, the sources' answers, and their history."""

import html
import json
import re

import pytest

HOSTILE = '<script>alert(1)</script>"onmouseover="alert(2)\'><img src=x>'


@pytest.fixture
def answer(query):
    """Store an answer of a source about PKD1."""

    def store(source, state="found", data=None, *, reason=None, symbol="PKD1", **columns):
        values = {
            "release": "2026-11",
            "fetched_at": "2026-11-01T08:00Z",
            "checked_at": "2026-11-02T08:00Z",
            "valid_from": "2026-10-01T08:00Z",
            "checked_state": state,
            "reason": reason,
        } | columns
        query(
            "INSERT INTO annotations (gene_id, source, state, data,"
            f" {', '.join(values)}) SELECT id, %s, %s, %s, {', '.join(['%s'] * len(values))}"
            " FROM genes WHERE symbol = %s",
            source,
            state,
            None if data is None else json.dumps(data),
            *values.values(),
            symbol,
        )

    return store


def card(text: str, source: str) -> str:
    """The card of a source."""
    found = re.search(
        rf'<section class="card source[^>]*id="{source}".*?</section>', text, re.DOTALL
    )
    assert found, f"no card of {source}"
    return found[0]


def words(markup: str) -> str:
    """Return the visible text of markup, without line breaks."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", markup)).split())


async def test_a_gene_shows_its_identifiers_with_links_out(admin) -> None:
    text = (await admin.get("/genes/PKD1")).text

    assert '<link rel="canonical" href="/genes/HGNC:9008">' in text
    assert "#!/hgnc_id/HGNC:9008" in text
    assert "https://www.ensembl.org/id/ENSG00000008710" in text
    assert "https://www.ncbi.nlm.nih.gov/gene/5310" in text
    assert text.count('rel="noopener noreferrer"') >= 3


async def test_the_four_states_look_different_and_say_why(admin, answer) -> None:
    answer("pubmed", data={"articles": 1_234, "newest_pmids": [40_000_001]})
    answer("gnomad", "absent")
    answer("gtex", "unknown", reason="the file names it twice", release=None, fetched_at=None)

    text = (await admin.get("/genes/PKD1")).text

    found, absent, unknown, not_asked = (
        card(text, source) for source in ("pubmed", "gnomad", "gtex", "hgnc")
    )
    assert "1,234 articles" in words(found)
    assert "https://pubmed.ncbi.nlm.nih.gov/40000001/" in found
    assert "40000001" in words(found)
    assert "states that it has no data about PKD1." in words(absent)
    assert "protein-coding genes only" in words(absent)
    assert "It is not known what GTEx has about PKD1: the file names it twice" in words(unknown)
    assert "No run has asked HGNC about PKD1 yet" in words(not_asked)
    assert "Runs of all sources do not cover Descartes" in words(card(text, "descartes"))
    states = [
        re.search(r'class="card source ([a-z-]+)"', each)[1]
        for each in (found, absent, unknown, not_asked)
    ]
    assert states == ["found", "absent", "unknown", "not-asked"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("PBP", "PBP is the previous symbol of PKD1"),
        ("Pc-1", "Pc-1 is the alias of PKD1"),
        ("5310", "5310 is the Entrez id of PKD1"),
        ("ENSG00000008710.19", "ENSG00000008710.19 is the Ensembl id of PKD1"),
    ],
)
async def test_the_page_says_how_another_name_was_resolved(admin, query, name, said) -> None:
    query(
        "INSERT INTO gene_names (hgnc_id, kind, name) VALUES ('HGNC:9008', 'symbol', 'PKD1'),"
        " ('HGNC:9008', 'previous', 'PBP'), ('HGNC:9008', 'alias', 'PC-1')"
    )
    text = (await admin.get(f"/genes/{name}")).text

    assert said in words(text)
    assert 'rel="canonical" href="/genes/HGNC:9008"' in text


async def test_an_ambiguous_name_lists_its_genes(admin, query) -> None:
    query(
        "INSERT INTO gene_names (hgnc_id, kind, name) VALUES ('HGNC:1', 'symbol', 'OTHER'),"
        " ('HGNC:9008', 'alias', 'TWICE'), ('HGNC:1', 'alias', 'TWICE')"
    )
    answer = await admin.get("/genes/twice")

    assert answer.status_code == 409
    assert '<a href="/genes/HGNC:9008"><bdi>PKD1</bdi></a>' in answer.text
    assert "OTHER (HGNC:1): not in this database" in words(answer.text)


async def test_an_unknown_name_is_answered_with_similar_ones(admin) -> None:
    answer = await admin.get("/genes/PKD11")

    assert answer.status_code == 404
    assert "did you mean PKD1?" in words(answer.text)
    assert '<a href="/genes/HGNC:9008"><bdi>PKD1</bdi></a>' in answer.text


async def test_a_gene_that_was_not_imported_is_distinguished_from_one_that_does_not_exist(
    admin, query
) -> None:
    query("INSERT INTO gene_names (hgnc_id, kind, name) VALUES ('HGNC:9009', 'symbol', 'PKD2')")

    answer = await admin.get("/genes/PKD2")

    assert answer.status_code == 404
    assert "PKD2 (HGNC:9009) is not in this database" in words(answer.text)
    assert "genes-import" in answer.text


async def test_a_gene_shows_its_lists_its_fate_and_its_events(admin, query) -> None:
    query("UPDATE genes SET created_at = '2026-01-01' WHERE symbol IN ('PKD1', 'TTN')")
    query(
        "UPDATE genes SET withdrawn_at = '2026-05-01',"
        " successor_id = (SELECT id FROM genes WHERE symbol = 'PKD1') WHERE symbol = 'TTN'"
    )
    query(
        "INSERT INTO gene_events (gene_id, at, event, detail, run_id)"
        ' SELECT id, \'2026-03-01\', \'renamed\', \'{"from": "OLD", "to": "TTN"}\', 7'
        " FROM genes WHERE symbol = 'TTN'"
    )
    query(
        "WITH l AS (INSERT INTO gene_lists (name, by) VALUES ('muscle', 'Ada') RETURNING id)"
        " INSERT INTO gene_list_genes (list_id, hgnc_id) SELECT id, 'HGNC:12403' FROM l"
    )
    withdrawn = (await admin.get("/genes/TTN")).text
    successor = (await admin.get("/genes/PKD1")).text

    assert 'merged into <a href="/genes/HGNC:9008">' in withdrawn
    assert "renamed OLD -> TTN" in words(withdrawn)
    assert '<a href="/runs/7">' in withdrawn
    assert "imported" in words(withdrawn)
    # the successor is on the lists of genes merged into it
    assert "muscle" in words(withdrawn)
    assert "muscle" in words(successor)


@pytest.fixture
def changed(answer, query) -> None:
    """The present answers about PKD1, with two former ones."""
    answer("pubmed", data={"articles": 12, "newest_pmids": [3]}, release="2026-11")
    answer("hpo", data={"diseases": [], "organ_terms": {"HP:0000107": "Renal cyst"}, "terms": {}})
    query(
        "INSERT INTO annotation_history (gene_id, source, state, data, release, valid_from,"
        " valid_to, run_id, changed_run_id, origin_ids, origin_since)"
        " SELECT id, 'pubmed', state, data::jsonb, 'r' || n, f::timestamptz, t::timestamptz, n + 1,"
        " n, '{}', '{}' FROM genes, (VALUES"
        " (1, 'absent', NULL, '2026-01-01Z', '2026-02-01Z'),"
        " (2, 'found', '{\"articles\": 9, \"newest_pmids\": [1]}', '2026-02-01Z', '2026-10-01Z'))"
        " AS v (n, state, data, f, t) WHERE symbol = 'PKD1'"
    )
    query("UPDATE annotations SET valid_from = '2026-10-01Z', changed_run_id = 3")
    query("UPDATE genes SET created_at = '2026-01-01Z'")


async def test_a_card_lists_changes_with_their_times(admin, changed) -> None:
    found = card((await admin.get("/genes/PKD1")).text, "pubmed")

    assert "History: 3 versions" in words(found)
    assert "articles 9 -> 12" in words(found)
    assert "absent -> found" in words(found)
    assert "first answer, absent" in words(found)
    assert '<a href="/runs/3">' in found


async def test_the_history_is_read_page_by_page(admin, changed, monkeypatch) -> None:
    monkeypatch.setattr("app.web.gene.PAGE_SIZE", 2)
    seen, address = [], "/genes/PKD1/history?sources=pubmed"
    while address:
        text = (await admin.get(address)).text
        seen += [words(each) for each in re.findall(r"<td><bdi>([^-].*?)</bdi></td>", text)]
        older = re.search(r'rel="next" href="([^"]+)"', text)
        address = older[1].replace("&amp;", "&") if older else ""

    assert seen == [
        *("2026-11", "articles 9 -> 12; added newest pmid 3; removed newest pmid 1"),
        *("r2", "absent -> found; articles none -> 9; added newest pmid 1"),
        *("r1", "first answer, absent"),
    ]


async def test_a_past_moment_and_a_snapshot_show_what_was_known_then(admin, changed, query) -> None:
    query(
        "INSERT INTO snapshots (name, at, by, manifest)"
        " VALUES ('paper', '2026-03-01Z', 'Ada', '{\"sources\": {}}')"
    )
    january = (await admin.get("/genes/PKD1?as_of=2026-01-15")).text
    paper = (await admin.get("/genes/PKD1?snapshot=paper&as_of=")).text

    assert "absent" in card(january, "pubmed")
    assert "hpo had not been asked" not in january
    assert "had not been asked about PKD1 then" in words(card(january, "hpo"))
    assert "9 articles" in words(card(paper, "pubmed"))
    assert "in the snapshot paper" in words(paper)
    assert "articles 9 -&gt; 12" not in paper
    assert "History: 2 versions" in words(card(paper, "pubmed"))
    assert 'href="/api/genes/HGNC:9008?snapshot=paper"' in paper
    assert "just gene HGNC:9008 --snapshot paper" in paper


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("as_of=tomorrow", "tomorrow"),
        ("snapshot=none", "there is no snapshot"),
        ("sources=clinva", "did you mean clinvar?"),
        ("as_of=2026-01-01&snapshot=paper", "both given"),
    ],
)
async def test_a_wrong_parameter_is_explained(admin, asked, said) -> None:
    answer = await admin.get(f"/genes/PKD1?{asked}")

    assert answer.status_code == 422
    assert said in answer.text


async def test_only_the_selected_sources_are_shown(admin, changed) -> None:
    text = (await admin.get("/genes/PKD1?sources=hpo,pubmed")).text

    assert re.findall(r'<section class="card source[^>]*id="(\w+)"', text) == ["hpo", "pubmed"]


async def test_an_older_answer_says_that_the_last_check_failed(admin, answer) -> None:
    data = {"articles": 5, "newest_pmids": []}
    answer("pubmed", data=data, checked_state="unknown", reason="it was damaged")

    found = words(card((await admin.get("/genes/PKD1")).text, "pubmed"))

    assert "5 articles" in found
    assert "could not confirm this answer: it was damaged" in found


async def test_partners_and_terms_are_drawn_and_linked(admin, answer) -> None:
    partners = [
        {"symbol": f"P{n}", "hgnc_id": f"HGNC:{n}", "protein": "x", "score": 1_000 - n}
        for n in range(1, 31)
    ]
    answer("string", data={"proteins": [], "strongest_partners": partners})
    answer("panelapp", data={"green": 1, "panels": [
        {"region": "UK", "panel_id": 1, "panel": "Cysts", "panel_version": "1.2",
         "confidence": "green", "mode_of_inheritance": None, "evidence": []},
    ]})  # fmt: skip

    text = (await admin.get("/genes/PKD1")).text

    partners_card = card(text, "string")
    assert '<a href="/genes/HGNC:1"><bdi>P1</bdi></a>' in partners_card
    assert '<rect class="bar" x="0" y="0" width="999.0" height="10"/>' in partners_card
    assert "and 20 more" in words(partners_card)
    panels = card(text, "panelapp")
    assert '<span class="label tone-green">green</span>' in panels
    assert "Cysts" in words(panels)


async def test_a_gene_with_thousands_of_terms_stays_readable(admin, answer) -> None:
    terms = {f"HP:{number:07d}": f"term {number}" for number in range(3_000)}
    diseases = [
        {"disease_id": f"OMIM:{n:06d}", "disease": f"disease {n}", "mode_of_inheritance_ids": []}
        for n in range(500)
    ]
    data = {"terms": terms, "organ_terms": {}, "diseases": diseases, "modes_of_inheritance": {}}
    answer("hpo", data=data)

    text = (await admin.get("/genes/PKD1?sources=hpo")).text

    found = words(card(text, "hpo"))
    assert "Others: 3,000" in found
    assert "and 2,992 more" in found
    assert "2,800 more are in the JSON only" in found
    assert "Diseases: 500" in found
    assert "term 7 " in found
    assert len(text) < 150_000


async def test_markup_addresses_and_direction_marks_in_what_is_stored_are_text(
    admin, answer, query
) -> None:
    evil = f"{HOSTILE}\u202eevil"
    query("UPDATE genes SET symbol = %s WHERE symbol = 'PKD1'", evil)
    query(
        "INSERT INTO own_tables (name, title, licence, release, file_name, digest, bytes, rows,"
        " genes, columns, keys, added_by) VALUES ('mine', %s, %s, '1', %s, 'd', 1, 1, 1,"
        " %s::jsonb, '{hgnc_id}', %s)",
        *(evil, evil, evil),
        json.dumps({evil: "text", "URL": "text"}),
        evil,
    )
    address = "javascript:alert(1)"
    disease = {"disease": evil, "disease_id": evil, "classification": evil, "report_url": address}
    for source, data in {
        "mine": {"rows": [{evil: evil, "URL": address}]},
        "hpo": {"terms": {evil: evil}, "organ_terms": {evil: evil}, "diseases": [disease]},
        "clingen": {"validity": [disease, {evil: {evil: evil}}]},
        "string": {"strongest_partners": [{"symbol": evil, "hgnc_id": evil, "score": 5}]},
        "panelapp": {"panels": [{"panel": evil, "confidence": evil}]},
        "gtex": {"tissues_tpm": {evil: 5}, "more": {evil: {evil: evil}}},
    }.items():
        answer(source, data=data, symbol=evil)
    answer("uniprot", "unknown", reason=evil, symbol=evil)
    answer("clinvar", "absent", release=evil, symbol=evil)

    for path in ("HGNC:9008", "HGNC:9008/history", "<script>alert(1)"):
        text = (await admin.get(f"/genes/{path}")).text
        assert "alert(1)" in text
        assert "<script>alert" not in text
        assert "<img" not in text
        assert '"onmouseover' not in text
        assert 'href="javascript' not in text
        assert "style=" not in text
        assert "\u202e" not in text


async def test_a_viewer_sees_the_page_without_buttons_that_act(viewer, answer) -> None:
    answer("gnomad", "absent")

    answered = await viewer.get("/genes/PKD1")

    assert answered.status_code == 200
    assert re.findall(r'<form method="post" action="([^"]+)"', answered.text) == ["/logout"]


async def test_an_own_table_is_shown_with_its_columns(admin, answer, query) -> None:
    query(
        "INSERT INTO own_tables (name, title, licence, release, file_name, digest, bytes, rows,"
        " genes, columns, keys, added_by) VALUES ('cohort', 'Our cohort', 'CC0', '2', 'c.tsv', 'd',"
        '  1, 1, 1, \'{"cases": "number", "remark": "text"}\', \'{hgnc_id}\', \'Ada\')'
    )
    answer("cohort", data={"rows": [{"cases": 1200, "remark": "seen"}, {"cases": 3}]})

    found = card((await admin.get("/genes/PKD1")).text, "cohort")

    assert "Our cohort found" in words(found)
    assert '<td class="number"><bdi>1,200</bdi></td><td><bdi>seen</bdi></td>' in found
    assert "c.tsv, added by Ada" in words(found)


async def test_a_card_leads_to_all_versions_of_the_same_moment(admin, changed, monkeypatch) -> None:
    monkeypatch.setattr("app.web.gene.LATEST_CHANGES", 1)
    found = card((await admin.get("/genes/PKD1?as_of=2026-03-01")).text, "pubmed")

    assert "absent -> found" in words(found)
    link = re.search(r'href="(/genes/HGNC:9008/history[^"]+)">All 2 versions', found)
    assert link
    versions = (await admin.get(html.unescape(link[1]))).text
    assert "first answer, absent" in words(versions)
    assert "2026-11" not in words(versions)
