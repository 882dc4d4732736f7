import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox import Options, Sandbox
from sandbox.limits import Limits
from sandbox.registry import SERVICES

EINFO = {"db": "clinvar", "retmode": "json"}
JSON = {"Accept": "application/json"}


@given(
    gaps=st.lists(st.floats(min_value=0, max_value=0.5), max_size=200),
    rate=st.sampled_from([0.5, 1.0, 3.0, 10.0, 15.0]),
)
def test_no_window_of_a_second_has_more_than_the_rate(gaps, rate):
    limits = Limits({"ncbi": rate})
    now, admitted = 0.0, []
    for gap in gaps:
        now += gap
        verdict = limits.admit("ncbi", "client", now)
        if verdict.admitted:
            admitted.append(now)
        else:
            assert verdict.wait > 0
    most = max(1, int(rate))
    length = most / rate
    for first, beyond in zip(admitted, admitted[most:], strict=False):
        assert beyond - first >= length


def test_budgets_belong_to_a_client():
    limits = Limits({"ncbi": 1.0, "ensembl": None})

    assert limits.admit("ncbi", "one", 0).admitted
    assert not limits.admit("ncbi", "one", 0.9).admitted
    assert limits.admit("ncbi", "other", 0.9).admitted
    assert limits.admit("ncbi", "one", 1.0).admitted
    assert all(limits.admit("ensembl", "one", 0).admitted for _ in range(100))


@pytest.fixture(scope="module")
def limited(tmp_path_factory):
    with Sandbox(Options(genes=5, cache_dir=tmp_path_factory.mktemp("cache"))) as sandbox:
        yield sandbox


@pytest.fixture
def client(limited):
    limited.reset()
    limited.set_limits(ncbi=3.0, ncbi_with_key=10.0, ensembl=15.0, hgnc=10.0)
    with httpx.Client(base_url=limited.url, headers=JSON, trust_env=False) as client:
        yield client


def _until_refused(client, path, params=None):
    for served in range(60):
        answer = client.get(path, params=params)
        if answer.status_code == 429:
            return served, answer
        assert answer.status_code == 200
    pytest.fail("never refused")


def test_a_refusal_of_ncbi_has_its_recorded_text(client, limited):
    served, refusal = _until_refused(client, "/eutils/einfo.fcgi", EINFO)

    assert served == 3
    assert refusal.json() == {
        "error": "API rate limit exceeded",
        "api-key": "127.0.0.1",
        "count": "4",
        "limit": "3",
    }
    assert refusal.headers["Retry-After"] == "2"
    assert refusal.headers["X-RateLimit-Limit"] == "3"
    assert limited.stats()["requests"] == {"clinvar.einfo": 4}
    assert limited.stats()["refused"] == {"clinvar.einfo": 1}


def test_ncbi_allows_more_with_a_key_and_repeats_it_when_it_refuses(client):
    served, refusal = _until_refused(client, "/eutils/einfo.fcgi", {**EINFO, "api_key": "k" * 36})

    assert served == 10
    assert refusal.json()["api-key"] == "k" * 36
    assert client.get("/eutils/einfo.fcgi", params=EINFO).status_code == 200


def test_ncbi_refuses_a_key_it_does_not_know(client):
    answer = client.get("/eutils/einfo.fcgi", params={**EINFO, "api_key": "invalid-key"})

    assert answer.status_code == 400
    assert answer.json()["error"] == "API key invalid"


def test_ensembl_asks_to_wait_a_fraction_of_a_second(client):
    served, refusal = _until_refused(client, "/ensembl/info/data")

    assert served == 15
    assert 0 < float(refusal.headers["Retry-After"]) < 1
    assert refusal.headers["X-RateLimit-Limit"] == "55000"
    assert {"x-ratelimit-remaining", "x-ratelimit-reset", "x-ratelimit-period"} <= {
        *refusal.headers
    }


def test_hgnc_allows_ten_a_second(client):
    served, _ = _until_refused(client, "/hgnc/info")

    assert served == 10


def test_files_have_no_limit(client):
    for _ in range(30):
        assert client.get("/hgnc-files/tsv/tsv/withdrawn.txt").status_code == 200


def test_limits_can_be_changed_while_it_serves(client):
    assert client.post("/_sandbox/limits", json={"ncbi": 1}).json()["ncbi"] == 1
    assert _until_refused(client, "/eutils/einfo.fcgi", EINFO)[0] == 1
    assert client.post("/_sandbox/limits", json={"ncbi": None}).status_code == 200
    assert all(client.get("/eutils/einfo.fcgi", params=EINFO).status_code == 200 for _ in range(20))
    assert client.post("/_sandbox/limits", json={"moon": 1}).status_code == 400
    assert client.post("/_sandbox/limits", json={"ncbi": 0}).status_code == 400


def test_the_printed_settings_state_rates_other_than_the_services(tmp_path):
    def rates(options):
        sandbox = Sandbox(options)
        sandbox.close()
        return {k: v for k, v in sandbox.settings.items() if k.endswith("_RATE")}

    assert rates(Options(genes=1, cache_dir=tmp_path)) == {}
    assert rates(Options(genes=1, cache_dir=tmp_path, rates={"ncbi": 10})) == {"NCBI_RATE": "10"}
    declared = [name for service in SERVICES for name in service.rate_settings]
    assert "NCBI_RATE" in declared
    unlimited = rates(Options(genes=1, cache_dir=tmp_path, limits="off"))
    assert unlimited == dict.fromkeys(declared, "10000")
