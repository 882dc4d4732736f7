import pytest
from starlette.requests import Request

from app.web.origin import (
    is_embedded_elsewhere,
    is_from_these_pages,
    is_loopback,
    local_path,
)


def request(**headers: str) -> Request:
    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "scheme": "http", "path": "/", "headers": named}
    return Request(scope | {"query_string": b"", "server": ("127.0.0.1", 80)})


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({"sec_fetch_site": "same-origin"}, True),
        ({"sec_fetch_site": "same-site"}, False),
        ({"sec_fetch_site": "cross-site"}, False),
        ({"sec_fetch_site": "none"}, False),
        ({"sec_fetch_site": "cross-site", "origin": "http://here:8000"}, False),
        ({"origin": "http://here:8000"}, True),
        ({"origin": "http://here"}, False),
        ({"origin": "http://elsewhere:8000"}, False),
        ({"origin": "null"}, False),
        ({"origin": "http://["}, False),
        ({}, False),
    ],
)
def test_only_a_page_of_this_server_may_send_requests(headers, allowed) -> None:
    assert is_from_these_pages(request(host="here:8000", **headers)) is allowed


@pytest.mark.parametrize(
    ("site", "mode", "dest", "embedded"),
    [
        ("cross-site", "navigate", "document", False),
        ("same-site", "navigate", "document", False),
        ("same-site", "no-cors", "image", True),
        ("cross-site", "cors", "empty", True),
        ("same-site", "navigate", "iframe", True),
        ("same-origin", "no-cors", "script", False),
        ("same-origin", "cors", "empty", False),
        ("none", "navigate", "document", False),
    ],
)
def test_other_servers_may_link_pages_but_not_embed_them(site, mode, dest, embedded) -> None:
    sent = request(sec_fetch_site=site, sec_fetch_mode=mode, sec_fetch_dest=dest)

    assert is_embedded_elsewhere(sent) is embedded


def test_a_client_without_an_origin_may_read() -> None:
    assert not is_embedded_elsewhere(request())


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("localhost:8000", True),
        ("127.0.0.1", True),
        ("[::1]:8000", True),
        ("localhost.example.org", False),
        ("10.0.0.1:8000", False),
    ],
)
def test_loopback_names_are_recognized(host, loopback) -> None:
    assert is_loopback(request(host=host)) is loopback


@pytest.mark.parametrize("address", ["/", "/runs?state=failed", "/genes/PKD1#clinvar"])
def test_an_address_on_this_server_is_kept(address) -> None:
    assert local_path(address) == address


@pytest.mark.parametrize(
    "address",
    [
        "",
        "runs",
        "//elsewhere.example.org",
        "/\\elsewhere.example.org",
        "\\\\elsewhere.example.org",
        "https://elsewhere.example.org/",
        "javascript:alert(1)",
        "/\t/elsewhere.example.org",
        "/a\r\nSet-Cookie: b=c",
        "/a\\b",
    ],
)
def test_no_address_leads_to_another_server(address) -> None:
    assert local_path(address) is None
