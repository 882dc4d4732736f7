import asyncio
import json
import logging
import traceback
from dataclasses import replace
from urllib.parse import parse_qs

import httpx
import msgspec
import pytest

from app.annotation.upstream import BadAnswer, UpstreamUnavailable, new_http_client
from app.annotation.upstream.http import USER_AGENT
from app.annotation.upstream.outages import is_web_page
from app.core.errors import UserError
from harness.timing import limit
from tests.unit.annotation.upstream.conftest import QUICK

KEY = "0123456789abcdef0123456789abcdef0123"
DECODE = msgspec.json.Decoder(dict[str, int]).decode
ANY = msgspec.json.Decoder().decode
FOUND = httpx.Response(200, json={"a": 1})


def refused(retry_after):
    body = {"error": "API rate limit exceeded", "api-key": KEY, "count": "4", "limit": "3"}
    return httpx.Response(429, headers={"Retry-After": retry_after}, json=body)


async def ask(upstream, **more):
    return await upstream.request("GET", "one", decode=DECODE, **more)


@pytest.mark.parametrize(
    "trouble",
    [
        httpx.Response(500),
        httpx.Response(502, text="<html>Bad Gateway</html>"),
        httpx.Response(503, headers={"Retry-After": "0.01"}),
        httpx.Response(504),
        httpx.Response(408),
        refused("0.01"),
        refused("0"),
        httpx.ConnectError("refused"),
        httpx.ConnectTimeout(""),
        httpx.ReadTimeout(""),
        httpx.ReadError("reset"),
        httpx.RemoteProtocolError("Server disconnected without sending a response."),
        httpx.Response(200, text='{"a": 1'),
        httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=httpx.ByteStream(b"x")),
    ],
)
async def test_a_request_is_retried_after_a_transient_failure(service, connect, trouble):
    service.script = [trouble, FOUND]
    upstream = connect()
    assert await ask(upstream) == {"a": 1}
    assert upstream.requests == len(service.asked) == 2


@pytest.mark.parametrize(
    ("trouble", "tries"),
    [
        (httpx.Response(502), 3),
        (httpx.Response(503), 3),
        (httpx.Response(504), 3),
        (httpx.ConnectError("refused"), 3),
        (httpx.ReadTimeout(""), 3),
        (httpx.ReadError("reset"), 3),
        (refused("0"), 4),
        (httpx.Response(403, text="temporarily forbidden"), 1),
        (httpx.Response(302, headers={"Location": "https://elsewhere.example/?x=1"}), 1),
    ],
)
async def test_a_lasting_failure_ends_in_a_wait_for_the_host(service, connect, trouble, tries):
    service.script = [trouble]
    upstream = connect()
    with pytest.raises(UpstreamUnavailable) as caught:
        await ask(upstream)
    assert caught.value.what == "ncbi"
    assert caught.value.seconds >= 60
    assert caught.value.reason in str(caught.value)
    assert upstream.requests == tries


@pytest.mark.parametrize(
    ("answer", "tries", "shown"),
    [
        (httpx.Response(500, text="error forwarding request"), 3, "500: error forwarding"),
        (httpx.Response(400, text="POST message too large"), 1, "400: POST message too large"),
        (httpx.Response(404, text="<h1>Not <b>there</b></h1>"), 1, "404: Not there"),
        (httpx.Response(414), 1, "414"),
        (httpx.Response(200, json={"a": "x"}), 2, "Expected `int`, got `str`"),
        (httpx.Response(200, content=b'{"a\xff": 1}'), 2, "cannot be used"),
        (httpx.Response(200, content=b'{"b":' * 100_000), 2, "cannot be used"),
    ],
)
async def test_an_unusable_answer_is_a_bad_answer(service, connect, answer, tries, shown):
    service.script = [answer]
    upstream = connect()
    with pytest.raises(BadAnswer) as caught:
        await ask(upstream)
    assert shown in str(caught.value)
    assert len(str(caught.value)) < 400
    assert upstream.requests == tries


LOGIN = "<html><body>Log in to the network</body></html>"
PAGES = [
    "<!DOCTYPE html><html><body>Maintenance</body></html>",
    "\ufeff \n<HTML><head><title>Down for maintenance</title>",
    "<?xml version='1.0'?><!-- x --><!DOCTYPE html PUBLIC 'x'><html xmlns='y'>",
    "<script>location = '/login'</script>",
]
DOWN = [
    *(httpx.Response(200, text=page) for page in PAGES),
    httpx.Response(200, text=LOGIN, headers={"Content-Type": "application/json"}),
    httpx.Response(200),
    httpx.Response(204),
    httpx.Response(200, text=" \n"),
    httpx.Response(
        200, text='{"esearchresult":{"ERROR":"Search Backend failed: Exception:\n\'x\' is away"}}'
    ),
    httpx.Response(200, json={"esummaryresult": ["NCBI C++ Exception: Error: Read failed: EOF"]}),
    httpx.Response(200, json={"error": "API rate limit exceeded", "api-key": KEY}),
    httpx.Response(200, json={"responseHeader": {"status": 500}, "error": {"code": 500}}),
    httpx.Response(200, json={"error": "something bad has happened"}),
    httpx.Response(200, text="The service is temporarily unavailable"),
    httpx.Response(200, text="<table><tr><td>blocked</td></tr></table>"),
    httpx.Response(200, text='<?xml version="1.0"?><Error><Code>SlowDown</Code></Error>'),
    httpx.Response(200, json={"error": "upstream request failed"}),
    httpx.Response(407, text=LOGIN),
    httpx.Response(511, text=LOGIN),
    httpx.Response(401, text="who are you?"),
    httpx.ProxyError("407 Proxy Authentication Required"),
]


@pytest.mark.parametrize("answer", DOWN)
async def test_a_service_that_is_down_is_waited_for_whatever_its_status_says(
    service, connect, answer
):
    service.script = [answer]
    upstream = connect(key=KEY)
    with pytest.raises(UpstreamUnavailable) as caught:
        await ask(upstream)
    assert caught.value.seconds >= 60
    assert KEY not in str(caught.value)
    assert upstream.requests == 1


@pytest.mark.parametrize("status", [407, "407 Proxy Authentication Required"])
async def test_the_error_for_a_proxy_that_requires_a_login_names_the_variable(
    service, connect, status
):
    answer = httpx.Response(status) if isinstance(status, int) else httpx.ProxyError(status)
    service.script = [answer]
    with pytest.raises(UpstreamUnavailable, match="HTTPS_PROXY"):
        await ask(connect())


async def test_phrases_of_an_outage_in_a_long_answer_are_ignored(service, connect):
    service.script = [httpx.Response(200, json={"a": "temporarily unavailable" * 1_000})]
    with pytest.raises(BadAnswer):
        await ask(connect())


async def test_phrases_of_an_outage_in_a_usable_answer_are_ignored(service, connect):
    service.script = [httpx.Response(200, json={"maintenance": 1})]
    assert await ask(connect()) == {"maintenance": 1}


def test_a_page_of_many_comments_is_matched_without_backtracking():
    assert not is_web_page(b"<!-- -->" * 500 + b"x")


async def test_the_error_of_a_decoder_reaches_the_caller(service, connect):
    def decode(_):
        raise BadAnswer("expected 3 variants, got 2")

    service.script = [FOUND]
    with pytest.raises(BadAnswer, match="expected 3 variants, got 2"):
        await connect().request("GET", "one", decode=decode)
    assert len(service.asked) == 2


async def test_a_status_of_not_found_is_a_bad_answer(service, connect):
    service.script = [httpx.Response(404)]
    with pytest.raises(BadAnswer):
        await ask(connect())


async def test_a_refused_key_is_an_error_for_the_operator(service, connect):
    service.script = [httpx.Response(400, json={"error": "API key invalid", "api-key": KEY})]
    with pytest.raises(UserError, match="NCBI_API_KEY") as caught:
        await ask(connect(key=KEY))
    assert KEY not in str(caught.value)


async def test_retry_after_pauses_all_clients_of_the_budget(service, connect, limiter, monkeypatch):
    loop = asyncio.get_running_loop()
    times = []
    paused = asyncio.Event()
    pause = limiter.pause

    async def pause_and_tell(*arguments):
        await pause(*arguments)
        paused.set()

    def answer(_):
        times.append(loop.time())
        return FOUND

    monkeypatch.setattr(limiter, "pause", pause_and_tell)
    service.script = [refused("0.3"), answer]
    start = loop.time()
    one, other = connect(key=KEY), connect(key=KEY)
    asking = asyncio.create_task(ask(one))
    async with limit():
        await paused.wait()
    await ask(other)
    await asking
    assert min(times) - start >= 0.3


async def test_a_long_retry_after_releases_the_run_and_pauses_the_budget(service, connect, limiter):
    service.script = [refused("900")]
    upstream = connect()
    with pytest.raises(UpstreamUnavailable) as caught:
        await ask(upstream)
    assert caught.value.seconds == 900
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await limiter.acquire("ncbi", 10_000)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 403])
@pytest.mark.parametrize("far", ["1000000000000", "Fri, 31 Dec 9999 23:59:59 GMT"])
async def test_a_retry_after_is_limited_to_the_maximum_wait(service, connect, status, far):
    service.script = [httpx.Response(status, headers={"Retry-After": far})]
    upstream = connect(retries=replace(QUICK, max_wait=7_200))
    with pytest.raises(UpstreamUnavailable) as caught:
        await ask(upstream)
    assert caught.value.seconds == 7_200
    assert upstream.requests == 1


async def test_a_redirect_without_an_address_is_a_wait(service, connect):
    service.script = [httpx.Response(301)]
    with pytest.raises(UpstreamUnavailable, match="301"):
        await ask(connect())


async def test_a_429_does_not_use_up_the_tries_for_faults(service, connect):
    busy, fault = refused("0"), httpx.Response(503)
    service.script = [busy, fault, busy, fault, busy, FOUND]
    assert await ask(connect()) == {"a": 1}


async def test_no_more_requests_are_in_flight_than_the_host_allows(service, connect):
    flying, most = 0, 0

    async def slow(_):
        nonlocal flying, most
        flying += 1
        most = max(most, flying)
        await asyncio.sleep(0.01)
        flying -= 1
        return FOUND

    service.answer = slow
    upstream = connect(http=httpx.AsyncClient(transport=httpx.MockTransport(slow)))
    await asyncio.gather(*(ask(upstream) for _ in range(12)))
    assert most == connect().host.concurrency


async def test_a_try_times_out(connect):
    async def hang(_):
        await asyncio.Event().wait()

    upstream = connect(
        http=httpx.AsyncClient(transport=httpx.MockTransport(hang)), try_seconds=0.01
    )
    with pytest.raises(UpstreamUnavailable, match="Timeout"):
        await ask(upstream)


async def test_an_endless_body_is_refused_before_it_exhausts_the_memory(service, connect):
    read = 0

    class Endless(httpx.AsyncByteStream):
        async def __aiter__(self):
            nonlocal read
            while True:
                read += 1000
                yield b" " * 1000

    service.script = [httpx.Response(200, stream=Endless())]
    with pytest.raises(BadAnswer, match="more than 10,000 bytes"):
        await ask(connect(max_body=10_000))
    assert read <= 11_000


async def test_the_common_parameters_are_sent_with_every_request(service, connect):
    service.script = [FOUND]
    upstream = connect(key=KEY, params={"tool": "kidney-genetics", "api_key": KEY})
    await upstream.request("GET", "/esearch.fcgi", params={"db": "clinvar"}, decode=DECODE)
    await upstream.request("POST", "esearch.fcgi", data={"db": "clinvar"}, decode=DECODE)
    get, post = service.asked
    assert str(get.url.copy_with(query=None)) == "https://service.example/api/esearch.fcgi"
    expected = {"tool": ["kidney-genetics"], "api_key": [KEY], "db": ["clinvar"]}
    assert parse_qs(get.url.query.decode()) == expected
    assert parse_qs(post.content.decode()) == expected
    assert not post.url.query


async def test_json_is_posted(service, connect):
    service.script = [FOUND]
    await connect().request("POST", "lookup", json={"symbols": ["PKD1"]}, decode=DECODE)
    assert json.loads(service.asked[0].content) == {"symbols": ["PKD1"]}


class Budgets:
    """Records the calls of the budget."""

    def __init__(self):
        self.asked = []

    async def acquire(self, budget, rate):
        self.asked.append((budget, rate))

    async def pause(self, budget, seconds):
        raise AssertionError(budget, seconds)


async def test_a_key_has_its_own_budget_whose_name_does_not_reveal_the_key(service, connect):
    service.script = [FOUND]
    budgets = Budgets()
    for more in ({"rate": None}, {"rate": None, "key": KEY}, {"rate": 77, "key": KEY}):
        await ask(connect(limiter=budgets, **more))
    (plain, slow), (keyed, fast), (again, other) = budgets.asked
    assert (slow, fast, other) == (3, 10, 77)
    assert plain != keyed == again
    assert KEY not in keyed


@pytest.mark.parametrize(
    "trouble",
    [
        refused("0"),
        httpx.Response(500, json={"error": "error forwarding request", "api-key": KEY}),
        httpx.Response(400, text=f"no such thing: ?api_key={KEY}&email=ada@example.org"),
        httpx.Response(200, text=f"strange {KEY} by ada@example.org"),
        httpx.Response(302, headers={"Location": f"https://e.example/?api_key={KEY}"}),
        httpx.ConnectError(f"cannot reach https://e.example/?api_key={KEY} of ada@example.org"),
    ],
)
async def test_the_key_is_redacted_in_errors_and_logs(service, connect, caplog, trouble):
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger="httpx")
    service.script = [trouble]
    logging.getLogger("httpx").filters.clear()
    await new_http_client().aclose()
    with pytest.raises((BadAnswer, UpstreamUnavailable)) as caught:
        await ask(connect(key=KEY, params={"api_key": KEY, "email": "ada@example.org"}))
    shown = [str(caught.value), getattr(caught.value, "reason", ""), caplog.text]
    for secret in (KEY, "ada@example.org", "ada%40example.org"):
        assert secret not in "".join(shown)
    if not isinstance(trouble, Exception):
        assert KEY not in "".join(traceback.format_exception(caught.value))
    assert "HTTP Request: GET" in caplog.text or isinstance(trouble, Exception)


async def test_each_failed_try_is_logged_with_host_status_number_and_delay(
    service, connect, caplog
):
    service.script = [httpx.Response(503), FOUND]
    await ask(connect())
    [line] = [r.getMessage() for r in caplog.records if r.name.startswith("app.")]
    assert line.startswith("ncbi: answered 503")
    assert "(try 1), next try in 0.0 s" in line


async def test_the_client_names_the_project_and_follows_no_redirects():
    async with new_http_client(5) as http:
        assert http.headers["User-Agent"] == USER_AGENT
        assert not http.follow_redirects
        assert http.timeout.read == 5
