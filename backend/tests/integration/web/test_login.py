"""The pages require a token, and reject pages of other servers."""

import pytest

from tests.integration.web.conftest import ADMIN, VIEWER, log_in, visiting

PAGES = (
    *("/", "/runs", "/runs/new", "/runs/1", "/live/now", "/live/runs/1"),
    *("/schedules", "/schedules/nightly", "/notifications"),
)
FORMS = (
    *("/runs", "/runs/new", "/runs/matching", "/runs/1/cancel", "/runs/1/retry", "/runs/1/accept"),
    *("/schedules/nightly/pause", "/schedules/nightly/resume", "/schedules/nightly/run"),
    "/notifications/test",
)


@pytest.mark.parametrize("page", PAGES)
async def test_every_page_redirects_clients_without_a_session_to_the_login(visitor, page) -> None:
    answer = await visitor.get(page)

    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/login?next=")


async def test_a_part_of_a_page_is_not_replaced_by_the_login(visitor) -> None:
    answer = await visitor.get("/live/now", headers={"HX-Request": "true"})

    assert answer.status_code == 401
    assert answer.headers["hx-redirect"] == "/login?next=%2F"


async def test_the_login_leads_to_the_requested_page(visitor) -> None:
    sent = (await visitor.get("/runs?state=failed")).headers["location"]
    shown = await visitor.get(sent)
    assert 'value="/runs?state=failed"' in shown.text

    answer = await visitor.post("/login", data={"token": ADMIN, "next": "/runs?state=failed"})

    assert answer.headers["location"] == "/runs?state=failed"
    assert (await visitor.get("/runs?state=failed")).status_code == 200


async def test_a_link_of_another_server_leads_to_the_login_only_without_a_session(
    visitor,
) -> None:
    followed = await visitor.get("/runs/7", headers={"Sec-Fetch-Site": "cross-site"})

    # the browser sends its cookie when the page reloads the address
    assert followed.status_code == 200
    assert '<meta http-equiv="refresh" content="0">' in followed.text
    assert (await visitor.get("/runs/7")).status_code == 303


@pytest.mark.parametrize("target", ["//elsewhere.example.org", "https://elsewhere.example.org/a"])
async def test_the_login_leads_to_no_other_server(visitor, target) -> None:
    answer = await visitor.post("/login", data={"token": ADMIN, "next": target})

    assert answer.headers["location"] == "/"


async def test_a_wrong_token_is_refused_and_repeated_ones_must_wait(visitor) -> None:
    statuses = [
        (await visitor.post("/login", data={"token": f"a-wrong-token-{n}"})).status_code
        for n in range(6)
    ]

    assert statuses == [401] * 5 + [429]
    right = await visitor.post("/login", data={"token": ADMIN})
    assert right.status_code == 429
    assert int(right.headers["retry-after"]) > 0


async def test_the_cookie_is_not_accessible_to_scripts_and_other_sites(visitor) -> None:
    cookie = (await log_in(visitor, ADMIN)).headers["set-cookie"]

    assert cookie.startswith("kidney-genetics=admin.")
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "Path=/" in cookie
    assert ADMIN not in cookie


async def test_over_https_the_cookie_belongs_to_this_host_alone(web_settings, genes) -> None:
    async with visiting(web_settings, address="https://genes.example.org") as browser:
        cookie = (await log_in(browser, ADMIN)).headers["set-cookie"]
        assert (await browser.get("/runs")).status_code == 200

    assert cookie.startswith("__Host-kidney-genetics=admin.")
    assert "; Secure" in cookie
    assert "Domain" not in cookie


async def test_no_token_is_accepted_over_the_network_without_https(web_settings, genes) -> None:
    async with visiting(web_settings, address="http://genes.example.org") as browser:
        assert "without HTTPS" in (await browser.get("/login")).text
        answer = await browser.post("/login", data={"token": ADMIN})

    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


async def test_without_tokens_the_pages_say_what_to_set(arq_settings, genes) -> None:
    closed = arq_settings.model_copy(update={"admin_token": None, "viewer_token": None})
    async with visiting(closed) as browser:
        page = await browser.get("/runs")
        login = await browser.get("/login")

    assert page.status_code == 503
    assert "VIEWER_TOKEN" in page.text
    assert "VIEWER_TOKEN" in login.text


async def test_a_session_ends_when_the_token_is_changed(web_settings, genes) -> None:
    async with visiting(web_settings) as browser:
        await log_in(browser, VIEWER)
        cookies = browser.cookies
    changed = web_settings.model_copy(update={"viewer_token": None})
    async with visiting(changed) as browser:
        browser.cookies = cookies
        assert (await browser.get("/runs")).status_code == 303


async def test_a_cookie_from_before_the_login_is_not_kept(visitor) -> None:
    visitor.cookies.set("kidney-genetics", "chosen-by-somebody-else", domain="localhost.local")
    cookie = (await log_in(visitor, ADMIN)).headers["set-cookie"]

    assert "chosen-by-somebody-else" not in cookie


async def test_logging_out_ends_the_session(admin) -> None:
    answer = await admin.post("/logout")

    assert answer.headers["location"] == "/login"
    assert (await admin.get("/runs")).status_code == 303


@pytest.mark.parametrize("form", FORMS)
async def test_a_viewer_changes_nothing(viewer, query, form) -> None:
    answer = await viewer.post(form, data={"action": "cancel", "source": "hgnc", "by": "me"})

    assert answer.status_code == 403
    assert "only reads" in answer.text
    assert query("SELECT * FROM runs") == []


async def test_a_viewer_sees_no_buttons(viewer, api_run) -> None:
    pages = ("/", "/runs", f"/runs/{api_run}", "/runs/new", "/schedules", "/notifications")
    for page in pages:
        text = (await viewer.get(page)).text
        assert 'method="post"' not in text.replace('<form method="post" action="/logout">', "")


@pytest.mark.parametrize("form", [*FORMS, "/login", "/logout"])
@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "", "Origin": "https://elsewhere.example.org"},
    ],
)
async def test_requests_from_pages_of_other_servers_are_refused(
    admin, query, form, headers
) -> None:
    answer = await admin.post(form, data={"token": ADMIN, "mode": "smart"}, headers=headers)

    assert answer.status_code == 403
    assert query("SELECT * FROM runs") == []


@pytest.mark.parametrize("page", ["/", "/runs", "/notifications", "/login", "/no-such-page"])
async def test_no_page_can_be_framed_or_load_anything_from_elsewhere(admin, page) -> None:
    headers = (await admin.get(page)).headers

    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"


async def test_responses_outside_the_pages_have_the_same_headers(admin) -> None:
    answer = await admin.post("/runs", content=b"x" * 100_000)

    assert answer.status_code == 413
    assert "default-src 'none'" in answer.headers["content-security-policy"]


async def test_the_token_is_in_no_address_and_in_no_log(visitor, capfd, caplog) -> None:
    answer = await log_in(visitor, ADMIN)
    await visitor.get(answer.headers["location"])

    assert ADMIN not in answer.headers["location"]
    out, err = capfd.readouterr()
    assert ADMIN not in out + err + caplog.text


async def test_under_the_path_of_a_proxy_all_links_have_its_prefix(web_settings, genes) -> None:
    async with visiting(web_settings, root_path="/kidney") as browser:
        sent = (await browser.get("/kidney/runs")).headers["location"]
        assert sent == "/kidney/login?next=%2Fruns"
        answer = await browser.post("/kidney/login", data={"token": ADMIN, "next": "/runs"})
        assert answer.headers["location"] == "/kidney/runs"
        text = (await browser.get("/kidney/runs")).text

    assert 'href="/kidney/runs/new"' in text
    assert 'href="/' not in text.replace('href="/kidney/', "")
