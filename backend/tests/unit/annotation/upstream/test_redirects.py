"""Files of hosts that redirect to another one, such as OBO's permanent addresses."""

from functools import partial

import httpx
import pytest

from app.annotation.upstream import Host, UpstreamUnavailable

VERSION = {"ETag": '"v1"', "Last-Modified": "Sun, 15 Nov 2026 04:05:06 GMT"}
FILE = httpx.Response(200, headers=VERSION, content=b"a\tb")
RELEASES = "https://code.example/releases/latest/f"
STORE = "https://store.example/1/f?sig=0123456789"


def to(address, status=302):
    return httpx.Response(status, headers={"Location": address})


@pytest.fixture
def redirecting(connect):
    return partial(connect, redirects=True, rate_with_key=None)


def asked(service):
    return [(request.method, str(request.url)) for request in service.asked]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_download_follows_redirects_and_counts_each_as_a_request(
    service, redirecting, status
):
    service.script = [to(RELEASES, status), to(STORE, status), FILE]
    upstream = redirecting()
    got = await upstream.download("f")
    assert got.path.read_bytes() == b"a\tb"
    assert [url for _, url in asked(service)] == ["https://service.example/api/f", RELEASES, STORE]
    assert upstream.requests == 3


async def test_the_address_of_a_redirected_file_is_the_permanent_one(service, redirecting):
    service.script = [to(STORE), FILE]
    assert (await redirecting().download("f")).address == "https://service.example/api/f"


async def test_a_redirected_file_that_has_not_changed_is_not_sent_again(service, redirecting):
    service.script = [to(STORE), FILE, to(STORE), httpx.Response(304)]
    upstream = redirecting()
    assert await upstream.download("f") == await upstream.download("f")
    assert service.asked[3].headers["If-None-Match"] == VERSION["ETag"]


async def test_an_interrupted_redirected_download_is_resumed(service, redirecting):
    class Broken(httpx.AsyncByteStream):
        async def __aiter__(self):
            yield b"x" * 2_000_000
            raise httpx.RemoteProtocolError("broken")

    def rest(request):
        start = int(request.headers["Range"].removeprefix("bytes=").removesuffix("-"))
        headers = VERSION | {"Content-Range": f"bytes {start}-2000000/2000001"}
        return httpx.Response(206, headers=headers, content=b"x" * (2_000_000 - start) + b"y")

    cut = httpx.Response(200, headers=VERSION | {"Content-Length": "2000001"}, stream=Broken())
    service.script = [to(STORE), cut, to(STORE), rest]
    got = await redirecting().download("f")
    assert got.path.read_bytes() == b"x" * 2_000_000 + b"y"


async def test_the_release_of_a_redirected_file_is_read_from_its_own_headers(service, redirecting):
    service.script = [to(STORE), httpx.Response(200, headers=VERSION)]
    release = await redirecting().release_of("f")
    assert (release.name, release.marker) == ("2026-11-15", VERSION["ETag"])
    assert [method for method, _ in asked(service)] == ["HEAD", "HEAD"]


async def test_the_start_of_a_redirected_file_is_read(service, redirecting):
    service.script = [to(STORE), httpx.Response(206, content=b"a")]
    assert await redirecting().start_of("f", 1) == b"a"
    assert service.asked[1].headers["Range"] == "bytes=0-0"


async def test_a_relative_redirect_is_followed(service, redirecting):
    service.script = [to("../files/f"), FILE]
    await redirecting().download("hp/f")
    assert asked(service)[1] == ("GET", "https://service.example/api/files/f")


async def test_parameters_of_the_host_are_not_sent_to_another_host(service, redirecting):
    service.script = [to(STORE), FILE]
    await redirecting(params={"email": "me@example.org"}).download("f")
    assert "email" not in str(service.asked[1].url)
    assert "Authorization" not in service.asked[1].headers


@pytest.mark.parametrize("target", ["http://store.example/f", "file:///etc/passwd"])
async def test_a_redirect_to_an_unencrypted_address_is_not_followed(service, redirecting, target):
    service.script = [to(target), FILE]
    with pytest.raises(UpstreamUnavailable, match="302: it redirects to"):
        await redirecting().download("f")
    assert len(service.asked) == 1


async def test_a_sandbox_may_redirect_to_an_unencrypted_address(service, redirecting):
    service.script = [to("http://127.0.0.1:9/f"), FILE]
    await redirecting(base_url="http://127.0.0.1:9/obo").download("f")
    assert len(service.asked) == 2


async def test_the_sixth_redirect_is_not_followed(service, redirecting):
    service.script = [to(f"{RELEASES}/{number}") for number in range(6)] + [FILE]
    with pytest.raises(UpstreamUnavailable, match=r"it redirects to https://code\.example"):
        await redirecting().download("f")
    assert len(service.asked) == 6


async def test_the_signature_in_an_address_is_not_shown(service, redirecting):
    service.script = [to(STORE) for _ in range(6)]
    with pytest.raises(UpstreamUnavailable) as caught:
        await redirecting().download("f")
    assert "0123456789" not in str(caught.value)


async def test_a_host_that_does_not_declare_redirects_is_not_followed(service, connect):
    service.script = [to(STORE), FILE]
    with pytest.raises(UpstreamUnavailable, match="it redirects"):
        await connect().download("f")
    assert len(service.asked) == 1


async def test_a_request_for_an_answer_is_never_redirected(service, redirecting):
    service.script = [to(STORE), FILE]
    with pytest.raises(UpstreamUnavailable, match="it redirects"):
        await redirecting().request("GET", "x", decode=bytes)
    assert len(service.asked) == 1


def test_a_host_with_api_keys_cannot_declare_redirects():
    with pytest.raises(ValueError, match="cannot have API keys"):
        Host(name="x", title="", url="", setting="", rate=1, rate_with_key=2, redirects=True)
