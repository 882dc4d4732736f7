"""The proxies and certificates that the environment names are used, ignored or refused."""

import asyncio
from collections.abc import Iterator

import httpx
import pytest

from app.annotation.upstream import new_http_client
from app.core.errors import UserError
from app.core.process.network import Exceptions
from harness.connections import serving

PROXY = "http://proxy.example:3128"
VARIABLES = (
    *("http_proxy", "https_proxy", "all_proxy", "no_proxy"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE"),
)


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
async def proxy() -> Iterator[tuple[str, list[bytes]]]:
    """A proxy that answers everything itself, and what it was asked for."""
    asked: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append((await reader.readuntil(b"\r\n\r\n")).splitlines()[0])
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nby proxy.")
        await writer.drain()

    async with serving(serve) as port:
        yield f"http://127.0.0.1:{port}", asked


@pytest.mark.parametrize(
    "value",
    [
        *("[::1]", "fe80::/10", "10.0.0.0/8", "*.example.org", "localhost,127.0.0.1,[::1]:8080"),
        *("[", "::/", "a b", "http://", "[::1", "%", ",,", "x" * 300, "host:port", "1/2/3"),
    ],
)
async def test_a_client_can_be_made_with_any_value_of_no_proxy(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("NO_PROXY", value)
    monkeypatch.setenv("HTTPS_PROXY", PROXY)
    await new_http_client().aclose()


@pytest.mark.parametrize(
    ("no_proxy", "url", "directly"),
    [
        ("[::1]", "http://[::1]:8080/", True),
        ("::1", "http://[::1]/", True),
        ("fe80::/10", "http://[fe80::7]/", True),
        ("10.0.0.0/8", "http://10.1.2.3/", True),
        ("10.0.0.0/8", "http://11.1.2.3/", False),
        ("example.org", "https://example.org/", True),
        ("example.org", "https://rest.example.org/", True),
        (".example.org", "https://rest.Example.org/", True),
        ("example.org", "https://notexample.org/", False),
        ("mirror:8443", "https://mirror:8443/", True),
        ("mirror:8443", "https://mirror/", False),
        ("mirror:443", "https://mirror/", True),
        ("http://mirror", "https://mirror/", True),
        ("other, *", "https://mirror/", True),
        ("", "https://mirror/", False),
        ("[, ,%", "https://mirror/", False),
    ],
)
def test_a_host_that_no_proxy_names_is_reached_directly(
    no_proxy: str,
    url: str,
    directly: bool,  # noqa: FBT001
) -> None:
    assert Exceptions.read(no_proxy).cover(httpx.URL(url)) is directly


async def test_a_request_uses_the_proxy_unless_no_proxy_names_its_host(
    monkeypatch: pytest.MonkeyPatch, proxy
) -> None:
    address, asked = proxy
    monkeypatch.setenv("HTTP_PROXY", address)
    monkeypatch.setenv("NO_PROXY", "127.0.0.0/8")
    async with new_http_client() as http:
        answer = await http.get("http://mirror.example/x")
        assert answer.text == "by proxy."
        await http.get(f"{address}/directly")
    assert asked == [b"GET http://mirror.example/x HTTP/1.1", b"GET /directly HTTP/1.1"]


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("ALL_PROXY", "socks5://somebody:x7Kq2mPz@proxy.example:1080", "its scheme is socks5"),
        ("HTTPS_PROXY", "ftp://proxy.example", "its scheme is ftp"),
        ("https_proxy", "http://x7Kq2mPz@proxy.example:port", "it is not an address"),
        ("HTTP_PROXY", "http://proxy.example:99999", "its host or its port"),
        ("HTTP_PROXY", "http://", "its host or its port"),
        ("SSL_CERT_FILE", "/not/there.pem", "No such file"),
        ("SSL_CERT_FILE", __file__, "no certificate"),
        ("SSL_CERT_DIR", "/not/there", "No such file"),
        ("SSLKEYLOGFILE", "/not/there/keys", "No such file"),
    ],
)
def test_the_error_for_an_unusable_proxy_or_certificate_names_its_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, why: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(UserError) as error:
        new_http_client()
    assert name in error.value.found
    assert why in error.value.found
    assert f"unset {name}" in error.value.remedy
    assert "x7Kq2mPz" not in str(error.value)


async def test_an_unusable_all_proxy_is_ignored_when_both_schemes_have_a_proxy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://proxy.example:1080")
    monkeypatch.setenv("HTTP_PROXY", PROXY)
    monkeypatch.setenv("HTTPS_PROXY", "proxy.example:3128")
    await new_http_client().aclose()
