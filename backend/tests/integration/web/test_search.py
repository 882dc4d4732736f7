"""The search box in the header of every page."""

import pytest

NAMES = (
    ("HGNC:9008", "symbol", "PKD1"),
    ("HGNC:9008", "previous", "PBP"),
    ("HGNC:9008", "alias", "Pc-1"),
    ("HGNC:9008", "alias", "A/B"),
    ("HGNC:9008", "alias", "SHARED"),
    ("HGNC:12403", "alias", "SHARED"),
    # it is not in the database
    ("HGNC:9009", "symbol", "PKD2"),
)


@pytest.fixture(autouse=True)
def _named(query, genes) -> None:
    for each in NAMES:
        query("INSERT INTO gene_names (hgnc_id, kind, name) VALUES (%s, %s, %s)", *each)
    query(
        "INSERT INTO genes (hgnc_id, symbol, withdrawn_at, successor_id)"
        " SELECT 'HGNC:7', 'PKD7', now(), id FROM genes WHERE symbol = 'PKD1'"
    )


@pytest.mark.parametrize(
    "name",
    ["pkd1", " HGNC:9008 ", "ENSG00000008710.21", " 5310", "NCBI:5310", "pbp", "PC-1", "A/B"],
)
async def test_a_name_that_means_one_gene_leads_to_its_page(viewer, name) -> None:
    answer = await viewer.get("/search", params={"q": name})

    assert answer.status_code == 303
    shown = await viewer.get(answer.headers["location"])
    assert "<title>PKD1 - " in shown.text
    if name not in {"pkd1", " HGNC:9008 ", "A/B"}:
        assert f"<bdi>{name.strip()}</bdi> is the " in shown.text


async def test_a_prefix_of_one_name_leads_to_its_gene(viewer) -> None:
    answer = await viewer.get("/search", params={"q": "tt"})

    assert answer.headers["location"] == "/genes/HGNC:12403"


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("PKD1", "PKD1: approved symbol."),
        ("PBP", "PBP: previous symbol of PKD1 (HGNC:9008)."),
        ("5310", "5310: Entrez id of PKD1 (HGNC:9008)."),
        ("ensg00000008710.7", "ensg00000008710.7: Ensembl id of PKD1 (HGNC:9008)."),
        ("pc-1", "pc-1: alias of PKD1 (HGNC:9008)."),
        ("PKD7", "PKD7: symbol, withdrawn, merged into PKD1 (HGNC:9008)."),
        ("PKD2", "PKD2: approved symbol, not in this database."),
        ("shared", "shared: alias of 2 genes."),
        ("pk", "3 genes have names that begin with pk."),
        ("PKD11", "No gene has the name PKD11. These names are similar to it."),
        ("XYZXYZ", "No gene has the name XYZXYZ."),
    ],
)
async def test_the_meaning_of_the_text_is_shown_while_typing(viewer, typed, said) -> None:
    answer = await viewer.get("/search/found", params={"q": typed})

    assert f'<p role="status">{said}</p>' in answer.text


async def test_nothing_is_shown_for_an_empty_box(viewer) -> None:
    answer = await viewer.get("/search/found", params={"q": "  "})

    assert answer.text.strip() == '<p role="status"></p>'


async def test_an_ambiguous_name_shows_the_genes_that_it_could_mean(viewer) -> None:
    answer = await viewer.get("/search", params={"q": "SHARED"})

    assert answer.status_code == 200
    assert 'href="/genes/HGNC:9008"' in answer.text
    assert 'href="/genes/HGNC:12403"' in answer.text
    # Enter opens none of them
    assert "data-for" not in (await viewer.get("/search/found", params={"q": "SHARED"})).text


async def test_a_withdrawn_gene_is_shown_with_its_successor(viewer) -> None:
    answer = await viewer.get("/search", params={"q": "PKD7"})

    assert answer.status_code == 200
    assert 'href="/genes/HGNC:7"' in answer.text
    assert 'href="/genes/HGNC:9008"' in answer.text


async def test_a_gene_that_is_not_in_the_database_has_no_link_but_a_remedy(viewer) -> None:
    answer = await viewer.get("/search", params={"q": "PKD2"})

    assert "/genes/HGNC:9009" not in answer.text
    assert "just genes-import FILE" in answer.text


async def test_an_unknown_name_shows_similar_names(viewer) -> None:
    for typed in ("PDK1", "PKD12", "PKDX1", "PKD1-201"):
        answer = await viewer.get("/search", params={"q": typed})
        assert 'href="/genes/HGNC:9008"' in answer.text, typed


HOSTILE = '<script>alert(1)</script>"onmouseover="alert(2)'


async def test_hostile_names_are_text(viewer, query) -> None:
    query("UPDATE genes SET symbol = %s || chr(8238) WHERE symbol = 'TTN'", HOSTILE)
    for typed in (HOSTILE, HOSTILE[:6], "\u202e" + HOSTILE, "SHARED", "x" * 1_000, "\0", "%", "__"):
        for path in ("/search", "/search/found"):
            text = (await viewer.get(path, params={"q": typed})).text
            assert "<script>alert" not in text
            assert '"onmouseover' not in text
            assert "\u202e" not in text


async def test_the_search_box_is_on_every_page_of_a_session(viewer) -> None:
    for path in ("/", "/runs", "/schedules", "/no-such-page"):
        assert 'action="/search"' in (await viewer.get(path)).text
    viewer.cookies.clear()
    assert 'action="/search"' not in (await viewer.get("/login")).text
