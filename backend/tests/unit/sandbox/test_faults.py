import gzip
import json
import zlib
from contextlib import nullcontext
from email.utils import parsedate_to_datetime

import httpx
import pytest

from harness.timing import WAIT, scaled
from sandbox.faults import KINDS, BadFault


def variants_of(sandbox):
    return sandbox.services["clinvar"].variants


EUTILS = {"db": "clinvar", "retmode": "json"}
TABLE = "/clinvar/tab_delimited/variant_summary.txt.gz"


@pytest.fixture
def search(http):
    def ask(*symbols):
        term = " OR ".join(f"{symbol}[gene]" for symbol in symbols)
        return http.post("/eutils/esearch.fcgi", data={**EUTILS, "term": term})

    return ask


@pytest.fixture
def summarise(http):
    def ask(ids):
        return http.post("/eutils/esummary.fcgi", data={**EUTILS, "id": ",".join(map(str, ids))})

    return ask


def test_faults_give_their_status(sandbox, search):
    for kind in ("429", "500", "503"):
        sandbox.fault("clinvar.esearch", kind, times=1)
        assert search("PKD1").status_code == int(kind)
    assert search("PKD1").status_code == 200
    assert sandbox.stats()["refused"] == {"clinvar.esearch": 1}
    assert sandbox.stats()["faulted"] == {"clinvar.esearch": 3}


def test_pages_and_errors_with_status_200(sandbox, search):
    sandbox.fault("clinvar.esearch", "html", times=1)
    page = search("PKD1")
    sandbox.fault("clinvar.esearch", "error-body", times=1)
    body = search("PKD1")

    assert page.status_code == body.status_code == 200
    assert page.text.startswith("<!DOCTYPE html>")
    assert json.loads(body.text, strict=False)["esearchresult"].keys() == {"ERROR"}


def test_a_proxy_login_an_empty_body_and_a_compressed_bomb(sandbox, search, http):
    sandbox.fault("clinvar.esearch", "407", times=1)
    assert search("PKD1").status_code == 407
    sandbox.fault("clinvar.esearch", "empty", times=1)
    empty = search("PKD1")
    assert (empty.status_code, empty.content) == (200, b"")
    sandbox.fault("clinvar.esearch", "bomb", times=1)
    with http.stream("POST", "/eutils/esearch.fcgi", data=EUTILS) as answer:
        assert answer.headers["Content-Encoding"] == "gzip, gzip, gzip"
        assert len(b"".join(answer.iter_raw())) < 10_000


def test_a_truncated_file_and_an_outdated_file_of_a_mirror(sandbox, http):
    good = http.get(TABLE)
    sandbox.fault("clinvar.variant_summary", "no-length", times=1)
    cut = http.get(TABLE)
    sandbox.fault("clinvar.variant_summary", "older", times=1)
    older = http.get(TABLE, headers={"If-None-Match": good.headers["ETag"]})

    assert cut.http_version == "HTTP/1.0"
    assert "Content-Length" not in cut.headers
    assert cut.content == good.content[: len(good.content) // 2]
    assert older.content == good.content
    changed = [parsedate_to_datetime(each.headers["Last-Modified"]) for each in (older, good)]
    assert changed[0] < changed[1]


@pytest.mark.parametrize("kind", ["truncated", "invalid-json", "raw-newline"])
def test_json_can_be_made_invalid(sandbox, search, kind):
    good = search("PKD1").json()
    sandbox.fault("clinvar.esearch", kind, times=1)
    answer = search("PKD1")

    assert answer.status_code == 200
    with pytest.raises(json.JSONDecodeError):
        json.loads(answer.text)
    if kind == "raw-newline":
        lenient = json.loads(answer.text, strict=False)
        assert lenient["esearchresult"]["idlist"] == good["esearchresult"]["idlist"]
    assert search("PKD1").json() == good


def test_connections_can_break_or_hang(sandbox, search, http):
    sandbox.fault("clinvar.esearch", "reset", times=1)
    with pytest.raises(httpx.ReadError):
        search("PKD1")
    sandbox.fault("clinvar.esearch", "hang", times=1)
    patient, http.timeout = http.timeout, httpx.Timeout(scaled(WAIT), read=0.2)
    with pytest.raises(httpx.ReadTimeout):
        search("PKD1")
    http.timeout = patient
    sandbox.fault("clinvar.esearch", "slow", times=1, seconds=0)
    assert search("PKD1").status_code == 200


def test_counts_can_be_made_wrong(sandbox, search, summarise, http):
    right = int(search("PKD1").json()["esearchresult"]["count"])
    ids = variants_of(sandbox).ids_of(sandbox.catalogue.genes[0])
    sandbox.fault("*", "wrong-count")

    assert int(search("PKD1").json()["esearchresult"]["count"]) > right
    assert len(summarise(ids).json()["result"]["uids"]) == len(ids) - 1
    assert http.get("/hgnc/fetch/symbol/PKD1").json()["response"]["numFound"] == 2
    symbols = {"symbols": ["PKD1", "PKD2"]}
    found = http.post("/ensembl/lookup/symbol/homo_sapiens", json=symbols).json()
    assert found.keys() == {"PKD1"}


def test_a_fault_of_one_gene_leaves_others_alone(sandbox, search, summarise):
    by_symbol = sandbox.catalogue.by_symbol
    bad = variants_of(sandbox).ids_of(by_symbol["UMOD"])
    good = variants_of(sandbox).ids_of(by_symbol["PAX2"])
    sandbox.fault("clinvar.esummary", "uid-error", gene="UMOD")
    sandbox.fault("clinvar.esearch", "500", gene="UMOD")

    together = summarise([*good, *bad]).json()["result"]
    broken = [uid for uid in together["uids"] if "error" in together[uid]]
    assert len(broken) == 1
    assert int(broken[0]) in bad
    assert not any("error" in record for record in summarise(good).json()["result"].values())
    assert search("PAX2", "UMOD").status_code == 500
    assert search("PAX2").status_code == 200


def test_a_fault_can_strike_every_nth_request_and_a_number_of_times(sandbox, search):
    sandbox.fault("clinvar.esearch", "503", every=3, times=2)
    statuses = [search("PKD1").status_code for _ in range(9)]

    assert statuses == [200, 200, 503, 200, 200, 503, 200, 200, 200]
    assert sandbox.faults()[0]["fired"] == 2


def test_a_download_can_be_interrupted(sandbox, http):
    whole = http.get(TABLE).content
    sandbox.fault("clinvar.variant_summary", "truncated", times=1)

    with pytest.raises(httpx.HTTPError):
        http.get(TABLE)
    assert http.get(TABLE).content == whole


def test_a_file_can_be_damaged(sandbox, http):
    sandbox.fault("clinvar.variant_summary", "invalid-json", times=1)

    damaged = http.get(TABLE).content
    with pytest.raises((zlib.error, gzip.BadGzipFile, EOFError)):
        gzip.decompress(damaged)


def test_faults_are_set_and_listed_over_http(http):
    wanted = {"endpoint": "hgnc.fetch", "kind": "503", "times": 1, "seconds": 7}
    assert http.post("/_sandbox/faults", json=wanted).status_code == 200
    assert http.get("/_sandbox/faults").json()[0]["endpoint"] == "hgnc.fetch"
    assert http.get("/hgnc/fetch/symbol/PKD1").headers["Retry-After"] == "7"
    assert http.delete("/_sandbox/faults").json() == []


@pytest.mark.parametrize(
    "wanted",
    [
        {"endpoint": "hgnc.fetch"},
        {"endpoint": "hgnc.fetch", "kind": "fire"},
        {"endpoint": "moon", "kind": "500"},
        {"endpoint": "hgnc.fetch", "kind": "500", "colour": "red"},
        {"endpoint": "hgnc.fetch", "kind": "500", "times": "often"},
        {"endpoint": "hgnc.fetch", "kind": "uid-error"},
    ],
)
def test_unknown_faults_are_refused(http, sandbox, wanted):
    answer = http.post("/_sandbox/faults", json=wanted)

    assert answer.status_code == 400
    assert answer.json()["error"]
    with pytest.raises((BadFault, TypeError)):
        sandbox.fault(**wanted)


@pytest.mark.parametrize("kind", sorted(KINDS - {"hang", "slow", "uid-error", "wrong-count"}))
@pytest.mark.parametrize(
    "path",
    [
        "/hgnc/info",
        "/hgnc/fetch/symbol/PKD1",
        "/ensembl/info/data",
        "/ensembl/lookup/symbol/homo_sapiens/PKD1",
        "/eutils/einfo.fcgi?db=clinvar&retmode=json",
        "/hgnc-files/tsv/tsv/hgnc_complete_set.txt",
        "/clinvar/tab_delimited/gene_specific_summary.txt",
    ],
)
def test_each_fault_ends_after_its_count_at_every_endpoint(sandbox, http, path, kind):
    sandbox.fault("*", kind, times=1)
    breaks = kind == "reset" or (kind == "truncated" and path.endswith(".txt"))
    with pytest.raises(httpx.TransportError) if breaks else nullcontext():
        http.get(path)
    assert sandbox.faults()[0]["fired"] == 1
    assert http.get(path).status_code == 200
