from sandbox.stats import Stats

EUTILS = {"db": "clinvar", "retmode": "json"}


def test_genes_and_pages_are_counted_once_and_again(http):
    term = "PKD1[gene] OR PKD2[gene]"
    for asked in (term, "PKD2[gene] OR UMOD[gene]"):
        kept = http.post(
            "/eutils/esearch.fcgi", data={**EUTILS, "term": asked, "usehistory": "y"}
        ).json()["esearchresult"]
    where = {"WebEnv": kept["webenv"], "query_key": kept["querykey"], "retmax": "20"}
    for start in (0, 20, 0):
        http.post("/eutils/esummary.fcgi", data={**EUTILS, **where, "retstart": start})

    stats = http.get("/_sandbox/stats").json()
    assert stats["requests"] == {"clinvar.esearch": 2, "clinvar.esummary": 3}
    assert stats["genes"]["clinvar.esearch"] == {"asked": 3, "again": 1, "repeats": 1}
    assert stats["pages"]["clinvar.esummary"] == {"asked": 2, "again": 1, "repeats": 1}
    assert stats["records"]["clinvar.esummary"] == 60


def test_only_good_answers_count_for_genes_and_pages(http, sandbox):
    sandbox.fault("ensembl.lookup", "500", times=1)
    for _ in range(2):
        http.post("/ensembl/lookup/symbol/homo_sapiens", json={"symbols": ["PKD1"]})

    assert sandbox.stats()["requests"] == {"ensembl.lookup": 2}
    assert sandbox.stats()["genes"]["ensembl.lookup"] == {"asked": 1, "again": 0, "repeats": 0}


def test_a_reset_clears_counts_and_faults(http, sandbox):
    sandbox.fault("*", "500")
    http.get("/hgnc/info")
    assert http.post("/_sandbox/reset").status_code == 204

    assert sandbox.faults() == []
    assert not any(sandbox.stats().values())


def test_the_memory_of_statistics_is_bounded(monkeypatch):
    monkeypatch.setattr("sandbox.stats._MAX_REMEMBERED", 10)
    stats = Stats()
    for page in range(100):
        stats.served("clinvar.esummary", genes=(), page=page, records=1)

    assert stats.as_json()["pages"]["clinvar.esummary"]["asked"] == 10
