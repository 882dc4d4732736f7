"""Properties of every address of the pages, so that new pages are covered automatically."""

import re
from urllib.parse import quote

import pytest
from pydantic import SecretStr

from tests.integration.web.conftest import ADMIN, FROM_HERE, HERE, VIEWER, log_in
from tests.integration.web.routes import FILES, MARKUP, browsing, filled, is_static

OPEN = {"/login", "/logout"}
"""Addresses that accept requests without a session or from viewers."""

ELSEWHERE = (
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "none"},
    {"Origin": "https://elsewhere.example.org"},
    {"Origin": "http://localhost.example.org"},
    {"Origin": "null"},
    {"Origin": "http://["},
    {},
)
"""Headers of forms on other sites, and of requests by other programs."""

EMBEDDED = (
    {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"},
    {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"},
    {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"},
)

NONSENSE = (
    *(MARKUP, "\0", "%_\\'", "NaN", "9" * 30, "x" * 5_000),
    *("0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2026-01-01T00:00:00"),
)


async def test_clients_without_a_session_are_redirected_to_the_login_from_every_address(
    browser,
) -> None:
    admitted = {}
    for method, path in browser.routes:
        answer = await browser.request(method, path)
        to_login = answer.headers.get("location", "").startswith("/login?next=")
        if not to_login and path != "/login" and not is_static(path):
            admitted[method, path] = answer.status_code

    assert len(browser.routes) > 30
    assert admitted == {}


async def test_a_viewer_can_send_nothing_to_any_address(browser, query) -> None:
    await log_in(browser, VIEWER)
    before = query("SELECT state FROM runs")
    admitted = {}
    for path in {path for _, path in browser.routes if path not in OPEN and not is_static(path)}:
        for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
            for address in (path, f"{path}/", f"/{path}"):
                answer = await browser.request(
                    method, f"{HERE}{address}", headers={"X-HTTP-Method-Override": "GET"}
                )
                if answer.status_code not in {403, 404, 307}:
                    admitted[method, address] = answer.status_code

    assert admitted == {}
    assert query("SELECT state FROM runs") == before


@pytest.mark.parametrize("headers", ELSEWHERE)
async def test_no_address_accepts_requests_from_pages_of_other_servers(
    browser, query, headers
) -> None:
    await log_in(browser, ADMIN)
    del browser.headers["Sec-Fetch-Site"]
    taken = {}
    for method, path in browser.routes:
        for kind in ("application/x-www-form-urlencoded", "text/plain", "application/json"):
            if method == "GET" or is_static(path):
                continue
            sent = {**headers, "Content-Type": kind}
            answer = await browser.request(method, path, content=b"source=hgnc", headers=sent)
            if answer.status_code != 403:
                taken[method, path] = answer.status_code

    assert taken == {}
    assert query("SELECT count(*) AS n FROM runs") == [{"n": 1}]


@pytest.mark.parametrize("headers", EMBEDDED)
async def test_no_address_can_be_embedded_in_a_page_of_another_server(browser, headers) -> None:
    await log_in(browser, ADMIN)
    answers = {
        path: (await browser.get(path, headers=headers)).status_code
        for method, path in browser.routes
        if method == "GET"
    }

    assert {path for path, status in answers.items() if status != 403} == set()


async def test_every_response_forbids_frames_and_resources_of_other_servers(browser) -> None:
    bare = []

    async def look(method: str, path: str) -> None:
        headers = (await browser.request(method, path)).headers
        policy = headers.get("content-security-policy", "")
        safe = (
            policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
            and "frame-ancestors 'none'" in policy
            and "unsafe" not in policy
            and headers.get("x-frame-options") == "DENY"
            and headers.get("x-content-type-options") == "nosniff"
            and (is_static(path) or headers.get("cache-control") in {"no-store", "no-cache"})
        )
        if not safe:
            bare.append((method, path, dict(headers)))

    paths = {path for _, path in browser.routes} | {"/no-such-page", "/runs/x", "/runs?before=0"}
    for path in paths:
        await look("GET", path)
    await log_in(browser, VIEWER)
    for path in paths - {"/logout"}:
        for method in ("GET", "HEAD", "POST", "PUT"):
            # the whole file would be generated, although its headers are the same
            await look("HEAD" if method == "GET" and path in FILES else method, path)

    assert bare == []


async def test_no_parameter_makes_an_error_or_markup(browser) -> None:
    await log_in(browser, VIEWER)
    faults = []

    async def look(path: str, given: dict[str, str]) -> None:
        method = "HEAD" if path in FILES else "GET"
        answer = await browser.request(method, path, params=given)
        text = answer.text
        if answer.status_code >= 500 or "<script>alert" in text or '" onmouseover' in text:
            faults.append((path, given, answer.status_code))
        if "\u202e" in text:
            faults.append((path, given, "turns the text around it"))

    for path, names in browser.parameters.items():
        for value in NONSENSE:
            for name in names:
                await look(filled(path, "1"), {name: value})
            if {"from", "to"} <= {*names}:
                await look(filled(path, "1"), {"from": value, "to": NONSENSE[-2]})
                await look(filled(path, "1"), {"from": NONSENSE[-3], "to": value})
            if "{" in path and not is_static(path):
                await look(re.sub(r"\{\w+\}", quote(value, safe=""), path), {})

    assert sum(map(len, browser.parameters.values())) > 30
    assert faults == []


SIGNATURE = "b2YtdGhlLXNpZ25hdHVyZS1vZi10aGUtdGVzdC0wODE1"


async def test_no_page_contains_a_secret(web_settings, genes, api_run) -> None:
    secrets = {
        "redis_url": "redis://:of-redis-0815@127.0.0.1:1/0",
        "notify_webhook_urls": "http://127.0.0.1:1/of-the-webhook-0815?key=of-the-key-0815",
        "notify_webhook_secret": f"whsec_{SIGNATURE}",
        "smtp_url": "smtp://ada:of-the-mail-0815@127.0.0.1:1",
        "ping_url": "http://127.0.0.1:1/of-the-ping-0815",
        "ncbi_api_key": "of-ncbi-0815",
    }
    told = {name: SecretStr(value) for name, value in secrets.items()}
    told |= {"notify_email_to": "ada@example.org", "notify_email_from": "ada@example.org"}
    told |= {"notify_allow_private": True}
    settings = web_settings.model_copy(update=told)
    checks = "config,redis,worker,database,notifications.addresses,notifications.smtp"
    shown = []
    async with browsing(settings, base_url=HERE, headers=FROM_HERE) as browser:
        await log_in(browser, ADMIN)
        for page, data in {"/doctor": {"only": checks}, "/notifications/test": {}}.items():
            shown.append(await browser.post(page, data=data))
        shown += [await browser.get(filled(path, "1")) for path in browser.parameters]
        assert "Failed: " in (await browser.get("/doctor")).text

    assert "not delivered" in shown[1].text
    for answer in shown:
        said = f"{answer.headers}{answer.text}"
        assert "0815" not in said
        assert SIGNATURE not in said
        assert ADMIN not in said
        assert VIEWER not in said
