"""The table of genes: the URL contains the choice, and its links keep it."""

import json
import re
import shlex
from html.parser import HTMLParser
from typing import Any

import pytest

from app.api.export_slots import MAX_EXPORTS

HOSTILE = '<script>alert(1)</script>"onmouseover=alert(2) \u202ejavascript:alert(3)'

FIELDS = "clinvar.germline.pathogenic,gnomad.loeuf,hgnc.alias_symbol"


class Page(HTMLParser):
    """The rows of the table, the links, and what the form has."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.titles: list[str] = []
        self.links: dict[str, str] = {}
        self.typed: dict[str, list[str]] = {}
        self._cell: list[str] | None = None
        self._link: tuple[str, list[str]] | None = None
        self._select = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "tr":
            self.rows.append([])
        elif tag in {"td", "th"}:
            self._cell = []
            self.titles += filter(None, [given.get("title")])
        elif tag == "a":
            self._link = (given["href"] or "", [])
        elif tag == "select":
            self._select = given["name"] or ""
        elif tag == "option" and "selected" in given:
            self._cell = []
        elif (
            tag == "input"
            and given.get("name")
            and (given.get("type") != "checkbox" or "checked" in given)
        ):
            self.typed.setdefault(given["name"] or "", []).append(given.get("value") or "")

    def handle_endtag(self, tag: str) -> None:
        if tag in {"td", "th"} and self._cell is not None:
            self.rows[-1].append(" ".join("".join(self._cell).split()))
            self._cell = None
        elif tag == "option" and self._cell is not None:
            self.typed.setdefault(self._select, []).append("".join(self._cell))
            self._cell = None
        elif tag == "a" and self._link is not None:
            href, words = self._link
            self.links["".join(words).strip()] = href
            self._link = None

    def handle_data(self, data: str) -> None:
        if self._cell is not None:
            self._cell.append(data)
        if self._link is not None:
            self._link[1].append(data)

    @property
    def genes(self) -> dict[str, list[str]]:
        """The cells of each gene by its symbol, without the HGNC id."""
        return {row[0]: row[2:] for row in self.rows if len(row) > 1 and row[1][:5] == "HGNC:"}


@pytest.fixture
def answers(query, genes) -> None:
    """PKD1 and TTN have good answers, and C1orf112 has an unknown one."""
    for symbol, source, state, data, reason in (
        ("PKD1", "clinvar", "found", {"germline": {"pathogenic": 1234}}, None),
        ("PKD1", "gnomad", "found", {"loeuf": None}, None),
        ("PKD1", "hgnc", "found", {"alias_symbol": ["PBP", "Pc-1", "TRPP1", "X"]}, None),
        ("TTN", "clinvar", "absent", None, None),
        ("TTN", "gnomad", "found", {"loeuf": 0.3514159}, None),
        ("C1orf112", "clinvar", "unknown", None, "the upstream answered with an error"),
    ):
        query(
            "INSERT INTO annotations (gene_id, source, state, data, checked_state, reason, release)"
            " SELECT id, %s, %s, CAST(%s AS jsonb), %s, %s, 'July' FROM genes WHERE symbol = %s",
            source,
            state,
            None if data is None else json.dumps(data),
            state,
            reason,
            symbol,
        )


async def get(browser: Any, query: str = "") -> Page:
    answer = await browser.get(f"/genes{query}")
    assert answer.status_code == 200, answer.text
    return Page(answer.text)


async def test_values_are_formatted_for_people_and_missing_ones_are_explained(
    viewer, answers
) -> None:
    page = await get(viewer, f"?fields={FIELDS}")

    assert page.genes == {
        "PKD1": ["4: PBP; Pc-1; TRPP1 and 1 more", "1,234", "none stated"],
        "C1orf112": [
            "not asked",
            "unknown the upstream answered with an error",
            "not asked",
        ],
        "TTN": ["not asked", "absent", "0.3514"],
    }
    heads = [row for row in page.rows if row and row[0].startswith(("Symbol", "alias"))]
    assert heads[0][2:] == ["hgnc", "clinvar", "gnomad"]
    assert heads[1] == ["alias_symbol", "germline.pathogenic variants", "loeuf ratio"]


async def test_the_default_columns_are_those_that_sources_declare(admin, answers) -> None:
    page = await get(admin)
    assert "clinvar.germline.pathogenic" in page.typed["fields"]
    assert page.genes["PKD1"][1] == "1,234"


async def test_a_submitted_form_is_redirected_to_a_short_address(admin, answers) -> None:
    sent = (
        "?fields=clinvar.germline.pathogenic&fields=gnomad.loeuf&fields=gtex.tissues_tpm.Liver,"
        "&prefix=&list=&source=clinvar&state=absent&where=&where=gnomad.loeuf%3C0.5&as_of="
    )
    answer = await admin.get(f"/genes{sent}")
    assert answer.status_code == 303
    address = answer.headers["location"]
    assert address == (
        "/genes?fields=clinvar.germline.pathogenic,gnomad.loeuf,gtex.tissues_tpm.Liver"
        "&where=clinvar.state%3Dabsent&where=gnomad.loeuf%3C0.5"
    )
    page = await get(admin, address.removeprefix("/genes"))
    assert list(page.genes) == ["TTN"]
    # the form keeps its input
    assert page.typed["source"] == ["clinvar"]
    assert page.typed["state"] == ["absent"]
    assert page.typed["where"] == ["gnomad.loeuf<0.5", ""]
    assert {"clinvar.germline.pathogenic", "gtex.tissues_tpm.Liver"} <= {*page.typed["fields"]}


MISTAKES = (
    # address, error, what is allowed, what the form keeps
    ("where=gnomad.loeuv%3C1", "no field 'gnomad.loeuv'", "gnomad.loeuf", "where=gnomad.loeuv<1"),
    ("where=x", "has a wrong syntax", "FIELD OPERATOR VALUE", "where=x"),
    ("fields=clinvar.x,gnomad.pli", "'clinvar.x'", "clinvar.variants", "fields=clinvar.x"),
    ("list=nosuch", "there is no gene list", "list-add", "list=nosuch"),
    ("order=gnomad.x", "there is no field", "gnomad.pli", "order=gnomad.x"),
    ("source=clinvar", "without state", "found, absent, unknown", "source=clinvar"),
    ("state=found", "without source", "found, absent, unknown", "state=found"),
    ("source=clinvra&state=found", "there is no source", "clinvar", "source=clinvra"),
    ("as_of=yesterday", "as_of is", "2026-03-31", "as_of=yesterday"),
    ("snapshot=x", "there is no snapshot", "just snapshot", "snapshot=x"),
    ("prefix=%00", "the name", "without special", "prefix=\\x00"),
    ("order=symbol&after=77", "after=77", "next_after", "order=symbol"),
)


async def test_a_mistake_is_explained_at_the_form_which_keeps_its_input(admin, answers) -> None:
    for address, found, allowed, kept in MISTAKES:
        answer = await admin.get(f"/genes?{address}", follow_redirects=True)

        assert answer.status_code == 422, address
        problem = answer.text.partition('<div class="problem"')[2].partition("</div>")[0]
        said = re.sub("<[^>]+>", "", problem).replace("&#39;", "'")
        assert found in said, address
        assert allowed in said, address
        name, _, value = kept.partition("=")
        assert value in Page(answer.text).typed[name], address


async def test_each_column_sorts_both_ways_and_pages_follow_each_other(admin, query) -> None:
    query(
        "INSERT INTO genes (hgnc_id, symbol)"
        " SELECT 'HGNC:' || n, 'G' || lpad(n::text, 3, '0') FROM generate_series(1, 120) n"
    )
    query(
        "INSERT INTO annotations (gene_id, source, state, data, checked_state)"
        " SELECT id, 'gnomad', 'found', jsonb_build_object('loeuf', mod(id, 4)), 'found' FROM genes"
        " WHERE symbol ~ '^G[0-9]' AND mod(id, 3) > 0"
    )
    seen: dict[str, list[str]] = {}
    for order in ("gnomad.loeuf", "-gnomad.loeuf"):
        page = await get(admin, f"?fields=gnomad.loeuf&prefix=g&order={order}")
        seen[order] = [*page.genes]
        while "Next genes" in page.links:
            page = await get(admin, page.links["Next genes"].removeprefix("/genes"))
            seen[order] += page.genes
    rows = query(
        "SELECT symbol, (data ->> 'loeuf')::int AS value FROM genes LEFT JOIN annotations"
        " ON gene_id = id WHERE symbol ~ '^G[0-9]' ORDER BY id"
    )
    for order, sign in (("gnomad.loeuf", 1), ("-gnomad.loeuf", -1)):
        by = sorted(rows, key=lambda row: (row["value"] is None, sign * (row["value"] or 0)))
        assert seen[order] == [row["symbol"] for row in by]
    links = (await get(admin, "?fields=gnomad.loeuf&order=-gnomad.loeuf")).links
    assert links["loeuf"] == "/genes?fields=gnomad.loeuf&order=gnomad.loeuf"
    assert links["Symbol"] == "/genes?fields=gnomad.loeuf&order=symbol"


async def test_the_json_the_command_and_the_files_are_those_of_the_view(admin, answers) -> None:
    query_string = f"?fields={FIELDS}&order=-gnomad.loeuf&where=clinvar.state%21%3Dunknown"
    answer = await admin.get(f"/genes{query_string}")
    page = Page(answer.text)
    shown = [*page.genes]
    assert shown == ["TTN", "PKD1"]
    assert "<strong>2 genes</strong>" in answer.text

    (api,) = [each for each in page.links if each.startswith("/api/genes")]
    data = await admin.get(page.links[api], headers={"Accept": "*/*"})
    assert [gene["symbol"] for gene in data.json()["genes"]] == shown
    command = re.search("<code>(just export.*?)</code>", answer.text)
    assert command is not None
    words = shlex.split(command[1].replace("&#39;", "'").replace("&gt;", ">"))
    assert words == [
        *("just", "export", f"--fields={FIELDS}", "--order=-gnomad.loeuf"),
        "--where=clinvar.state!=unknown",
    ]
    table = await admin.get(page.links["tsv"])
    lines = [line.split("\t") for line in table.text.splitlines()]
    assert [line[1] for line in lines[1:]] == shown
    assert {*FIELDS.split(",")} <= {*lines[0]}


async def test_a_viewer_gets_files_of_the_table(viewer, answers) -> None:
    page = await get(viewer, "?fields=gnomad.loeuf")
    for name, kind in (
        ("tsv", "text/tab-separated-values; charset=utf-8"),
        ("parquet", "application/vnd.apache.parquet"),
        ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ):
        answer = await viewer.get(page.links[name])
        assert answer.status_code == 200
        assert answer.headers["content-type"] == kind
        disposition = answer.headers["content-disposition"]
        assert re.fullmatch(rf'attachment; filename="kidney-genetics-[0-9-]+\.{name}"', disposition)
        # responses that require a session are neither cached nor embedded
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        head = await viewer.head(page.links[name])
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-disposition"] == disposition


async def test_files_require_a_login(visitor, answers) -> None:
    answer = await visitor.get("/genes/export?format=tsv")
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/login")
    foreign = await visitor.get("/genes/export", headers={"Sec-Fetch-Site": "cross-site"})
    assert "content-disposition" not in foreign.headers


async def test_pages_and_the_api_share_the_slots_of_exports(admin, answers) -> None:
    services = admin._transport.app.state.services
    for _ in range(MAX_EXPORTS):
        services.export_slots.__enter__()
    refused = await admin.get("/genes/export?fields=gnomad.loeuf")
    assert refused.status_code == 503
    assert refused.headers["retry-after"].isdigit()
    assert "too many exports" in refused.text
    for _ in range(MAX_EXPORTS):
        services.export_slots.__exit__()
    assert (await admin.get("/genes/export?fields=gnomad.loeuf")).status_code == 200


async def test_a_mistake_in_an_export_is_explained_on_a_page(admin, answers) -> None:
    for query_string in ("format=tsw", "fields=gnomad.x", "where=x", "state=found"):
        answer = await admin.get(f"/genes/export?{query_string}")
        assert answer.status_code == 422
        assert "content-disposition" not in answer.headers


async def test_more_columns_than_a_browser_shows_are_for_a_file(admin, answers) -> None:
    answer = await admin.get("/genes?fields=clinvar,gnomad,hgnc,ensembl,clingen,string")
    assert answer.status_code == 422
    assert "an export has as many" in answer.text


async def test_an_own_table_has_its_rows_in_a_column(admin, answers, query) -> None:
    query(
        "INSERT INTO own_tables (name, title, licence, release, file_name, digest, bytes, rows,"
        " genes, columns, keys, added_by) VALUES ('cohort', 'Our cohort', 'CC0', '2', 'c.tsv', 'd',"
        '  1, 1, 1, \'{"cases": "number", "remark": "text"}\', \'{hgnc_id}\', \'Ada\')'
    )
    data = {"rows": [{"cases": 1200, "remark": "seen"}, {"cases": 3, "remark": None}]}
    query(
        "INSERT INTO annotations (gene_id, source, state, data, checked_state)"
        " SELECT id, 'cohort', 'found', CAST(%s AS jsonb), 'found' FROM genes"
        " WHERE symbol = 'TTN'",
        json.dumps(data),
    )
    answer = await admin.get("/genes?fields=cohort.rows&order=-cohort.rows")
    assert "Our cohort: 1 column" in answer.text
    page = Page(answer.text)
    assert [*page.genes.items()][:2] == [
        ("TTN", ["2: cases 1,200, remark seen; cases 3"]),
        ("PKD1", ["not asked"]),
    ]
    where = "where=cohort.rows.cases%3E1000"
    assert [*(await get(admin, f"?fields=cohort.rows&{where}")).genes] == ["TTN"]


async def test_hostile_text_is_shown_as_text(admin, answers, query) -> None:
    query("UPDATE genes SET symbol = %s WHERE symbol = 'PKD1'", HOSTILE)
    data = {"name": HOSTILE, "alias_symbol": [HOSTILE, HOSTILE], "location": "javascript:alert(4)"}
    query("UPDATE annotations SET data = %s::jsonb WHERE source = 'hgnc'", json.dumps(data))
    query("UPDATE annotations SET reason = %s WHERE state = 'unknown'", HOSTILE)
    address = "/genes?fields=hgnc.name,hgnc.alias_symbol,hgnc.location,clinvar.variants"
    good = await admin.get(address)
    bad = await admin.get("/genes", params={"where": HOSTILE, "fields": HOSTILE, "prefix": HOSTILE})
    assert (good.status_code, bad.status_code) == (200, 422)
    for answer in (good, bad):
        assert "alert(1)" in answer.text
        assert "<script>alert" not in answer.text
        assert '"onmouseover=' not in answer.text
        assert 'href="javascript' not in answer.text
        # a direction mark affects only its own text
        assert "\u202e" not in re.sub("<bdi>[^<]*</bdi>", "", answer.text)


async def test_a_past_moment_is_shown_and_kept_in_the_links(admin, answers, query) -> None:
    query("UPDATE genes SET created_at = '2025-01-01'")
    query("UPDATE annotations SET valid_from = '2025-02-01' WHERE source = 'gnomad'")
    query("UPDATE annotations SET valid_from = '2025-04-01' WHERE source = 'clinvar'")
    page = await get(admin, "?fields=clinvar.germline.pathogenic,gnomad.loeuf&as_of=2025-03-01")
    assert page.genes["TTN"] == ["not asked", "0.3514"]
    assert page.links["TTN"] == "/genes/HGNC:12403?as_of=2025-03-01"
    table = await admin.get(page.links["tsv"])
    assert table.text.count("\tabsent\t") == 0
