import pytest

from sandbox.clinvar.history import MAX_SESSIONS
from sandbox.clinvar.terms import UnsupportedTerm, parse


def variants_of(sandbox):
    return sandbox.services["clinvar"].variants


EUTILS = {"db": "clinvar", "retmode": "json"}


@pytest.fixture
def search(http):
    def ask(term, method="POST", **params):
        wanted = {**EUTILS, "term": term, **params}
        place = {"data": wanted} if method == "POST" else {"params": wanted}
        return http.request(method, "/eutils/esearch.fcgi", **place)

    return ask


@pytest.fixture
def summarise(http):
    def ask(**params):
        return http.post("/eutils/esummary.fcgi", data={**EUTILS, **params})

    return ask


@pytest.mark.parametrize("field", ["gene", "Gene Name", "sym"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_gene_is_found_by_symbol(search, sandbox, field, method):
    result = search(f"PKD1[{field}]", method, retmax=500).json()["esearchresult"]
    expected = variants_of(sandbox).ids_of(sandbox.catalogue.by_symbol["PKD1"])

    assert int(result["count"]) == len(expected)
    assert sorted(map(int, result["idlist"])) == sorted(expected)


def test_a_search_returns_twenty_ids_by_default(search):
    result = search("PKD1[gene]").json()["esearchresult"]

    assert len(result["idlist"]) == 20
    assert result["retmax"] == "20"
    assert int(result["count"]) > 20


def test_a_search_returns_at_most_ten_thousand_ids(search, sandbox):
    term = " OR ".join(f"{gene.symbol}[gene]" for gene in sandbox.catalogue.genes)
    total = int(search(term, retmax=0).json()["esearchresult"]["count"])
    pages = [
        search(term, retstart=start, retmax=3_000).json()["esearchresult"]["idlist"]
        for start in range(0, total, 3_000)
    ]

    haplotypes = [variants_of(sandbox).haplotypes_of(gene) for gene in sandbox.catalogue.genes]
    assert total == len(variants_of(sandbox)) + sum(map(len, haplotypes))
    assert len({uid for page in pages for uid in page}) == total
    assert search(term, retmax=99_999).json()["esearchresult"]["retmax"] == str(min(total, 10_000))


def test_a_haplotype_has_its_own_type(search, http, sandbox):
    gene = sandbox.catalogue.genes[4]
    (haplotype,) = variants_of(sandbox).haplotypes_of(gene)
    ids = search(f"{gene.symbol}[gene]", retmax=9_999).json()["esearchresult"]["idlist"]
    assert str(haplotype) in ids
    form = {"db": "clinvar", "retmode": "json", "id": str(haplotype)}
    record = http.post("/eutils/esummary.fcgi", data=form).json()["result"][str(haplotype)]
    assert record["obj_type"] == "Haplotype"
    assert [each["symbol"] for each in record["genes"]] == [gene.symbol]


def test_a_search_for_several_genes_counts_shared_variants_once(search, sandbox):
    # PKD1 and TSC2 lie side by side, and some variants span both.
    ids = [
        set(variants_of(sandbox).ids_of(sandbox.catalogue.by_symbol[s])) for s in ("PKD1", "TSC2")
    ]
    result = search("(PKD1[gene] OR TSC2[gene])").json()["esearchresult"]

    assert ids[0] & ids[1]
    assert int(result["count"]) == len(ids[0] | ids[1])
    terms = [part for part in result["translationstack"] if isinstance(part, dict)]
    assert [int(term["count"]) for term in terms] == [len(ids[0]), len(ids[1])]


def test_unknown_genes_are_named(search):
    result = search("PKD1[gene] OR NOSUCHGENE[gene]").json()["esearchresult"]
    nothing = search("NOSUCHGENE[gene]").json()["esearchresult"]

    assert result["errorlist"]["phrasesnotfound"] == ["NOSUCHGENE[gene]"]
    assert nothing["count"] == "0"
    assert nothing["warninglist"]["outputmessages"] == ["No items found."]


def test_a_term_other_than_a_list_of_genes_gives_an_error_in_the_body(search):
    for term in ("7[chr] AND 1[CHRPOS]", "PKD1", ""):
        answer = search(term)
        assert answer.status_code == 200
        assert set(answer.json()["esearchresult"]) == {"ERROR"}
    with pytest.raises(UnsupportedTerm):
        parse("PKD1[gene] AND TSC2[gene]")


def test_a_long_search_is_refused_by_get_and_accepted_by_post(search, sandbox):
    term = " OR ".join(f"{gene.symbol}[gene]" for gene in sandbox.catalogue.genes)

    assert len(term) < 4_000
    assert search(term, "GET").status_code == 414
    assert search(term, "POST").status_code == 200


def test_summaries_are_served_in_pages_of_a_stored_result(search, summarise):
    kept = search("PKD1[gene] OR PKD2[gene]", usehistory="y", retmax=0).json()["esearchresult"]
    where = {"WebEnv": kept["webenv"], "query_key": kept["querykey"]}
    uids = []
    for start in range(0, int(kept["count"]), 30):
        result = summarise(**where, retstart=start, retmax=30).json()["result"]
        assert set(result) == {"uids", *result["uids"]}
        uids += result["uids"]

    listed = search("PKD1[gene] OR PKD2[gene]", retmax=500).json()["esearchresult"]["idlist"]
    assert kept["idlist"] == []
    assert uids == listed
    past = summarise(**where, retstart=int(kept["count"])).json()
    assert past["esummaryresult"] == ["Empty result - nothing todo"]


def test_a_page_has_at_most_five_hundred_summaries(search, summarise, sandbox):
    term = " OR ".join(f"{gene.symbol}[gene]" for gene in sandbox.catalogue.genes[:40])
    kept = search(term, usehistory="y").json()["esearchresult"]
    where = {"WebEnv": kept["webenv"], "query_key": kept["querykey"]}

    assert int(kept["count"]) > 501
    assert len(summarise(**where, retmax=500).json()["result"]["uids"]) == 500
    for refused in (summarise(**where, retmax=501), summarise(**where)):
        assert refused.status_code == 200
        assert refused.json()["error"].startswith("Too many UIDs in request.")


def test_unknown_and_expired_sessions(search, summarise, sandbox):
    kept = search("PKD1[gene]", usehistory="y").json()["esearchresult"]
    where = {"WebEnv": kept["webenv"], "query_key": kept["querykey"]}
    assert "result" in summarise(**where).json()
    sandbox.services["clinvar"].eutils.history.clear()

    for answer in (summarise(**where), summarise(WebEnv="MCID_none", query_key="1")):
        assert answer.status_code == 200
        assert answer.json()["esummaryresult"] == ["Unable to obtain query #1"]


def test_sessions_are_bounded(search, summarise):
    def keep():
        return search("REN[gene]", usehistory="y", retmax=0).json()["esearchresult"]["webenv"]

    oldest = keep()
    newest = [keep() for _ in range(MAX_SESSIONS)][-1]

    assert "esummaryresult" in summarise(WebEnv=oldest, query_key="1").json()
    assert "result" in summarise(WebEnv=newest, query_key="1").json()


def test_unknown_uids_and_other_input(summarise):
    assert summarise(id="999,100001").json()["result"]["999"] == {
        "uid": "999",
        "error": "cannot get document summary",
    }
    assert summarise(id="x1").json()["error"] == "Invalid uid x1 at position= 0"
    assert summarise(id="").json()["esummaryresult"] == ["Empty id list - nothing todo"]


def test_a_request_for_xml_is_refused(http):
    assert http.get("/eutils/einfo.fcgi", params={"db": "clinvar"}).status_code == 501
