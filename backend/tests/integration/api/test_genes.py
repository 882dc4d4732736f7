import pytest


@pytest.fixture
def annotated(query, genes) -> None:
    query(
        "INSERT INTO annotations (gene_id, source, state, data, release, fetched_at,"
        " checked_state, reason) SELECT id, 'clinvar', 'found', '{\"variants\": 7}', '2025-11-01',"
        " now(), 'unknown', 'a bad answer' FROM genes WHERE symbol = 'PKD1'"
    )
    query(
        "INSERT INTO annotations (gene_id, source, state, release, fetched_at, checked_state)"
        " SELECT id, 'ensembl', 'absent', '115', now(), 'absent' FROM genes WHERE symbol = 'PKD1'"
    )


async def test_a_gene_is_found_by_symbol_or_id(api, annotated) -> None:
    for name in ["PKD1", "pkd1", "HGNC:9008", "hgnc:9008"]:
        gene = (await api.get(f"/api/genes/{name}")).json()
        assert (gene["hgnc_id"], gene["symbol"], gene["entrez_id"]) == ("HGNC:9008", "PKD1", "5310")
        clinvar = gene["annotations"]["clinvar"]
        assert (clinvar["state"], clinvar["data"], clinvar["release"]) == (
            "found",
            {"variants": 7},
            "2025-11-01",
        )
        assert (clinvar["checked_state"], clinvar["reason"]) == ("unknown", "a bad answer")
        assert clinvar["fetched_at"] is not None
        assert gene["annotations"]["ensembl"]["state"] == "absent"
        assert gene["annotations"]["ensembl"]["data"] is None
        assert clinvar["licence"] == "public domain (NCBI)"


async def test_an_annotation_shows_its_provenance(api, annotated, query) -> None:
    query(
        "INSERT INTO origins (source, release, marker, files, parser) VALUES ('clinvar', '1', 'x',"
        """ '[{"address": "https://example.org/table", "sha256": "ab"}]', '1')"""
    )
    query(
        "UPDATE annotations SET fetched_run_id = 7, origin_id = (SELECT id FROM origins)"
        " WHERE source = 'clinvar'"
    )
    found = (await api.get("/api/genes/PKD1")).json()["annotations"]
    assert found["clinvar"]["origin"] == {
        "run_id": 7,
        "files": [{"address": "https://example.org/table", "sha256": "ab"}],
        "parser": "1",
    }
    assert found["ensembl"]["origin"] is None


async def test_a_symbol_in_mixed_case_is_found(api) -> None:
    assert (await api.get("/api/genes/c1ORF112")).json()["symbol"] == "C1orf112"


async def test_of_two_symbols_that_differ_in_case_the_exact_one_is_shown(api, query) -> None:
    query("INSERT INTO genes (hgnc_id, symbol) VALUES ('HGNC:1', 'C1ORF112')")
    assert (await api.get("/api/genes/C1ORF112")).json()["hgnc_id"] == "HGNC:1"


async def test_a_gene_that_is_not_there(api) -> None:
    for name in ["NOSUCH", "HGNC:1", "%00", "PKD1%00", "x" * 5000, "%", "'"]:
        answer = await api.get(f"/api/genes/{name}")
        assert answer.status_code == 404
        assert "there is no gene" in answer.json()["error"]


async def test_genes_are_listed_by_pages(api, annotated) -> None:
    first = (await api.get("/api/genes", params={"limit": 2})).json()
    assert [gene["symbol"] for gene in first["genes"]] == ["PKD1", "C1orf112"]
    assert set(first["genes"][0]["annotations"]) == {"clinvar", "ensembl"}
    rest = (await api.get("/api/genes", params={"after": first["next_after"]})).json()
    assert [gene["symbol"] for gene in rest["genes"]] == ["TTN"]
    assert rest["next_after"] is None


async def test_a_page_has_its_bounds(api) -> None:
    for params in [{"limit": 0}, {"limit": 501}, {"after": -1}, {"after": 2**63}]:
        assert (await api.get("/api/genes", params=params)).status_code == 422
