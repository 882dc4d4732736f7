import csv

import pytest

from sandbox.catalogue import AMBIGUOUS_ALIAS


@pytest.fixture
def fetch(http):
    def ask(field, value):
        return http.get(f"/hgnc/fetch/{field}/{value}").json()["response"]

    return ask


def test_a_gene_is_found_by_each_of_its_names(fetch):
    found = [
        fetch(*asked)["docs"][0]["hgnc_id"]
        for asked in (
            ("symbol", "HNF1B"),
            ("symbol", "hnf1b"),
            ("hgnc_id", "HGNC:11630"),
            ("hgnc_id", "11630"),
            ("prev_symbol", "TCF2"),
            ("alias_symbol", "MODY5"),
            ("entrez_id", "6928"),
        )
    ]

    assert set(found) == {"HGNC:11630"}


def test_cap2_is_approved_and_an_alias_of_two_others(fetch):
    assert [gene["symbol"] for gene in fetch("symbol", "CAP2")["docs"]] == ["CAP2"]
    assert {gene["symbol"] for gene in fetch("alias_symbol", "CAP2")["docs"]} == {
        "SERPINB8",
        "TMPRSS4",
    }
    assert fetch("alias_symbol", AMBIGUOUS_ALIAS)["numFound"] == 2
    assert fetch("symbol", AMBIGUOUS_ALIAS) == {
        "numFound": 0,
        "start": 0,
        "numFoundExact": True,
        "docs": [],
    }


def test_withdrawn_entries_have_the_status_withdrawn(fetch, http):
    lines = http.get("/hgnc-files/tsv/tsv/withdrawn.txt").text.splitlines()

    for line in lines[1:]:
        hgnc_id = line.split("\t")[0]
        assert fetch("hgnc_id", hgnc_id)["docs"][0]["status"] == "Entry Withdrawn"


def test_fields_without_a_value_are_omitted(fetch, sandbox):
    gene = next(gene for gene in sandbox.catalogue.genes if gene.ensembl_gene_id is None)
    [found] = fetch("symbol", gene.symbol)["docs"]

    assert "ensembl_gene_id" not in found
    assert "prev_symbol" not in found


def test_the_file_lists_the_genes_and_some_that_are_not_protein_coding(http, sandbox):
    text = http.get("/hgnc-files/tsv/tsv/hgnc_complete_set.txt").text
    rows = list(csv.DictReader(text.splitlines(), delimiter="\t"))
    coding = [row for row in rows if row["locus_group"] == "protein-coding gene"]

    assert [row["hgnc_id"] for row in coding] == [g.hgnc_id for g in sandbox.catalogue.genes]
    assert len(rows) > len(coding)


def test_info_and_wrong_use(http):
    assert http.get("/hgnc/info").json()["numDoc"] > 200
    assert http.get("/hgnc/fetch/colour/red").status_code == 400
    assert http.get("/hgnc/info", headers={"Accept": "text/xml"}).status_code == 406
