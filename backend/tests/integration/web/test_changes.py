"""The page of changes: in words, with the former and the new value side by side."""

import csv
import html
import io
import json
import re

import pytest

from tests.integration import changed

BETWEEN = {"from": "january", "to": "february"}

PKD1 = "pathogenic 512 -> 519, conflicting 41 -> 40"
FIRRM = "renamed C1orf112 -> FIRRM"
ENSEMBL = "first answer, found"
HPO = "absent -> found; added term HP:0000107 Renal cyst"
ALL = [("PKD1", "clinvar", PKD1), ("FIRRM", "gene", FIRRM), ("TTN", "ensembl", ENSEMBL),
       ("TTN", "hpo", HPO)]  # fmt: skip


@pytest.fixture(autouse=True)
def _history(query, genes) -> None:
    changed.change(query)


def plain(text: str) -> str:
    text = " ".join(html.unescape(re.sub(r"<[^>]*>", " ", text)).split())
    return text.replace(" : ", ": ")


def listed(page: str) -> list[tuple[str, str, str]]:
    """Return the heading of each group, with the start and the text of its changes."""
    found = []
    for group in re.findall(r'<section class="changed">(.*?)</section>', page, re.DOTALL):
        heading = plain(re.findall(r"<h2>(.*?)</h2>", group, re.DOTALL)[0]).split()[0]
        for change in re.findall(r"<article>\s*<p>(.*?)</p>", group, re.DOTALL):
            name, _, words = plain(change).partition(": ")
            found.append((heading, name, words))
    return found


async def shown(browser, **params) -> str:
    answer = await browser.get("/changes", params=params)
    assert answer.status_code == 200, answer.text
    return answer.text


async def test_changes_are_grouped_by_gene_in_the_words_of_the_command(viewer) -> None:
    assert listed(await shown(viewer, **BETWEEN)) == ALL


async def test_changes_are_grouped_by_source(viewer) -> None:
    assert listed(await shown(viewer, **BETWEEN, order="source")) == [
        ("The", "FIRRM", FIRRM),
        ("clinvar", "PKD1", PKD1),
        ("ensembl", "TTN", ENSEMBL),
        ("hpo", "TTN", HPO),
    ]


async def test_the_former_and_the_present_values_are_side_by_side(viewer) -> None:
    rows = re.findall(r'<tr><th scope="row".*?</tr>', await shown(viewer, **BETWEEN), re.DOTALL)
    assert [plain(row) for row in rows] == [
        "germline pathogenic 512 519",
        "germline conflicting 41 40",
        "terms - HP:0000107 Renal cyst",
    ]


async def test_filters_are_those_of_the_api(viewer) -> None:
    clinvar, firrm, *ttn = ALL
    assert listed(await shown(viewer, **BETWEEN, source="clinvar", gene="", list="")) == [clinvar]
    assert listed(await shown(viewer, **BETWEEN, gene="HGNC:12403")) == ttn
    assert listed(await shown(viewer, **BETWEEN, list="kidney")) == [clinvar]
    assert listed(await shown(viewer, run=str(changed.RUN), gene="FIRRM")) == [firrm]
    assert len(listed(await shown(viewer, **BETWEEN, moving="true"))) == len(ALL) + 1
    assert listed(await shown(viewer, since="2026-02-20"))[0][1:] == (
        "gencc", "strongest classification Limited -> Strong",
    )  # fmt: skip


async def test_without_a_period_it_is_the_last_7_days(viewer) -> None:
    page = await shown(viewer)
    assert "No changes between " in page
    assert 'href="/api/changes?limit=50"' in page


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"since": "2026-02-01", "run": "7"}, "since and run exclude each other"),
        ({"from": "januar"}, "did you mean january?"),
        ({"to": "february"}, "to is given without from"),
        ({"run": "8"}, "run 8"),
        ({"run": "seven"}, "'seven'"),
        ({"run": "9" * 30}, "999"),
        ({"source": "clinvr"}, "did you mean clinvar?"),
        ({"gene": "PKD11"}, "did you mean PKD1?"),
        ({"list": "kidny"}, "did you mean kidney?"),
        ({"order": "genes"}, "did you mean gene?"),
        ({"after": "nonsense"}, "nonsense"),
        ({"since": "\0"}, "since"),
    ],
)
async def test_what_cannot_be_answered_is_explained_above_the_form(viewer, params, said) -> None:
    answer = await viewer.get("/changes", params=params)

    assert answer.status_code == 422
    assert said in html.unescape(answer.text)
    assert 'name="since"' in answer.text


async def test_pages_follow_each_other(viewer, monkeypatch) -> None:
    monkeypatch.setattr("app.web.changes.PAGE_SIZE", 1)
    for order, expected in (("gene", ALL), ("source", [ALL[1], ALL[0], *ALL[2:]])):
        found, address = [], f"/changes?from=january&to=february&order={order}"
        while address:
            page = (await viewer.get(address)).text
            found += [words for _, _, words in listed(page)]
            following = re.search(r'href="(/changes\?[^"]*)" rel="next"', page)
            address = html.unescape(following[1]) if following else ""
        assert found == [words for _, _, words in expected]


async def test_the_table_is_that_of_the_api_with_the_session_alone(viewer) -> None:
    page = await shown(viewer, **BETWEEN, source="clinvar")
    (address,) = re.findall(r'href="(/changes/table\.tsv\?[^"]*)"', page)
    table = await viewer.get(html.unescape(address))

    assert table.headers["content-disposition"] == 'attachment; filename="changes.tsv"'
    rows = [*csv.DictReader(io.StringIO(table.text), delimiter="\t")]
    assert [(row["symbol"], row["from"], row["to"]) for row in rows] == [
        ("PKD1", "512", "519"), ("PKD1", "41", "40"),
    ]  # fmt: skip
    api = await viewer.get(html.unescape(address).replace("/changes/table.tsv", "/api/changes"),
                           params={**BETWEEN, "source": "clinvar", "format": "tsv"})  # fmt: skip
    assert api.text == table.text
    viewer.cookies.clear()
    assert (await viewer.get(html.unescape(address))).status_code == 303


async def test_the_same_as_json_and_in_a_shell(viewer) -> None:
    page = await shown(viewer, **BETWEEN, gene="PKD1", moving="true")
    said = html.unescape(page)
    assert "/api/changes?from=january&to=february&gene=PKD1&moving=true&limit=50" in said
    assert "just changes --from january --to february --gene PKD1 --moving" in said


async def test_the_page_of_a_run_links_what_it_changed(viewer) -> None:
    page = (await viewer.get(f"/runs/{changed.RUN}")).text
    assert f'href="/changes?run={changed.RUN}"' in page


COUNTS = [
    "Genes: 1 event",
    "ClinVar: 1 of 1 gene changed, 1 gained a pathogenic variant",
    "Ensembl: 1 has its first answer",
    "Human Phenotype Ontology: 1 of 1 gene changed",
]


def counted(page: str) -> list[str]:
    (part,) = re.findall(r'<ul class="counts">(.*?)</ul>', page, re.DOTALL)
    return [plain(each).removesuffix(" show") for each in re.findall(r"<li>.*", part)]


async def test_the_numbers_by_source_are_loaded_separately_from_the_changes(viewer) -> None:
    page = await shown(viewer, **BETWEEN)
    (address,) = re.findall(r'hx-get="(/changes/counts\?[^"]*)"', page)
    part = (await viewer.get(html.unescape(address))).text

    assert counted(part) == COUNTS
    # without a script, a link loads them with the page
    (address,) = re.findall(r'<a href="(/changes\?[^"]*counts=true[^"]*)"', page)
    assert counted((await viewer.get(html.unescape(address))).text) == COUNTS


async def test_numbers_that_take_long_are_counted_only_on_request(viewer, monkeypatch) -> None:
    monkeypatch.setattr("app.annotation.data.changes.counts.MANY_CHANGES", 3)
    part = (await viewer.get("/changes/counts", params=BETWEEN)).text
    (address,) = re.findall(r'<a href="(/changes\?[^"]*counts=true[^"]*)"', part)
    assert counted((await viewer.get(html.unescape(address))).text) == COUNTS
    assert counted((await viewer.get("/changes/counts", params={**BETWEEN, "gene": "TTN"})).text)


async def test_the_numbers_follow_the_filters(viewer) -> None:
    page = await shown(viewer, **BETWEEN, source="clinvar", counts="true")
    assert counted(page) == COUNTS[1:2]
    page = await shown(viewer, **BETWEEN, list="kidney", counts="true")
    assert counted(page) == COUNTS[1:2]


HOSTILE = '<script>alert(1)</script>"onmouseover="alert(2)\u202e'


async def test_hostile_answers_and_names_are_text(viewer, query) -> None:
    data = json.dumps({"terms": {HOSTILE: HOSTILE}, HOSTILE: [HOSTILE, HOSTILE]})
    query("UPDATE annotations SET data = %s WHERE source = 'hpo'", data)
    query("UPDATE annotations SET release = %s", HOSTILE)
    query("UPDATE genes SET symbol = %s WHERE symbol = 'TTN'", HOSTILE)
    for order in ("gene", "source"):
        page = await shown(viewer, **BETWEEN, order=order)
        assert "alert(1)" in page
        for raw in ("<script>alert", '"onmouseover', "\u202e"):
            assert raw not in page
