"""The upstream client against a server that misbehaves on the wire."""

import asyncio
import zlib
from contextlib import asynccontextmanager

import httpx
import msgspec
import pytest

from app.annotation.upstream import BadAnswer, Host, Retries, Upstream, UpstreamUnavailable
from app.annotation.upstream.http import new_http_client
from app.core.redis.rate_limits import LocalRateLimiter
from harness.connections import serving

DECODE = msgspec.json.Decoder(dict[str, int]).decode
QUICK = Retries(fault=3, body=2, first=0.001, max_backoff=0.01)
LIMITS = ("max_body", "max_download")


def answer(status, body, *headers):
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(head).encode() + body


GOOD = answer("200 OK", b'{"a":1}')


class Wire:
    """Sends the bytes in `script`, one item for each request; None resets the connection."""

    def __init__(self):
        self.script = []
        self.connections = 0

    async def serve(self, reader, writer):
        self.connections += 1
        while await self._answer(reader, writer):
            pass

    async def _answer(self, reader, writer):
        try:
            await reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            return False
        step = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if step is None:
            writer.transport.abort()
            return False
        writer.write(step)
        await writer.drain()
        return step is GOOD


@pytest.fixture
def wire():
    return Wire()


@pytest.fixture
async def connect(wire, tmp_path):
    async with serving(wire.serve) as port, new_http_client(0.3) as http:

        def make(**changes):
            settings = {
                "base_url": f"http://127.0.0.1:{port}",
                "limiter": LocalRateLimiter(window=0),
                "http": http,
                "cache_dir": tmp_path,
                "retries": QUICK,
            }
            limits = {name: changes.pop(name) for name in LIMITS if name in changes}
            host = Host(name="wire", title="", url="", setting="", rate=1_000, **limits)
            return Upstream(host, **(settings | changes))

        yield make


TRUNCATED = b'HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n{"a"'
TRUNCATED_CHUNKS = b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n{"a"\r\n'
NO_HTTP = b"SSH-2.0-OpenSSH_9.6\r\n\r\n"
NOTHING = b""


@pytest.mark.parametrize("trouble", [None, TRUNCATED, TRUNCATED_CHUNKS, NO_HTTP, NOTHING])
async def test_a_request_is_retried_after_a_failed_connection(wire, connect, trouble):
    wire.script = [trouble, GOOD]
    assert await connect().request("GET", "x", decode=DECODE) == {"a": 1}


@pytest.mark.parametrize("trouble", [None, TRUNCATED, TRUNCATED_CHUNKS, NO_HTTP, NOTHING])
async def test_a_connection_that_always_fails_is_a_wait(wire, connect, trouble):
    wire.script = [trouble]
    upstream = connect()
    with pytest.raises(UpstreamUnavailable):
        await upstream.request("GET", "x", decode=DECODE)
    assert upstream.requests == 3


async def test_a_refused_connection_is_a_wait(connect):
    with pytest.raises(UpstreamUnavailable, match="ConnectError"):
        await connect(base_url="http://127.0.0.1:1").request("GET", "x", decode=DECODE)


async def test_a_compressed_bomb_is_refused(wire, connect):
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    body = packer.compress(b" " * 20_000_000) + packer.flush()
    wire.script = [answer("200 OK", body, "Content-Encoding: gzip")]
    with pytest.raises(BadAnswer, match="more than"):
        await connect(max_body=1_000_000).request("GET", "x", decode=DECODE)


async def test_connections_are_reused(wire, connect):
    wire.script = [GOOD]
    upstream = connect()
    for _ in range(3):
        await upstream.request("GET", "x", decode=DECODE)
    assert wire.connections == 1


async def test_an_interrupted_download_is_resumed_over_http(wire, connect):
    content = bytes(3 * 1024**2)
    at = 2 * 1024**2
    whole = answer("200 OK", content, 'ETag: "v"')
    part = f"Content-Range: bytes {at}-{len(content) - 1}/{len(content)}"
    wire.script = [whole[: at + 1_000], answer("206 Partial Content", content[at:], part)]
    assert (await connect().download("f")).path.read_bytes() == content


@pytest.mark.parametrize("version", ["1.0", "1.1"])
async def test_a_truncated_file_without_a_length_is_refused(wire, connect, tmp_path, version):
    head = f"HTTP/{version} 200 OK\r\nConnection: close\r\nContent-Type: text/plain\r\n\r\n"
    wire.script = [head.encode() + b"hgnc_id\tsymbol\nHGNC:9008\tPKD1\n"]
    with pytest.raises(BadAnswer, match=r"HTTP/1\.0 proxy"):
        await connect().download("f")
    assert not [path for path in tmp_path.rglob("*") if path.name == "f"]


class SlowToConnect(httpx.AsyncHTTPTransport):
    """Waits before it sends."""

    seconds = 0.0

    async def handle_async_request(self, request):
        await asyncio.sleep(self.seconds)
        return await super().handle_async_request(request)


class Budget:
    def __init__(self):
        self.slots = 0

    async def acquire(self, budget, rate):
        assert (budget, rate) == ("wire", 1_000)
        self.slots += 1

    async def pause(self, budget, seconds):
        raise AssertionError(budget, seconds)


@asynccontextmanager
async def slow_client(seconds):
    transport = SlowToConnect()
    transport.seconds = seconds
    async with httpx.AsyncClient(transport=transport) as http:
        yield http


async def test_a_slot_that_expired_while_connecting_is_replaced(wire, connect):
    wire.script = [GOOD]
    budget = Budget()
    async with slow_client(0.1) as http:
        upstream = connect(http=http, limiter=budget)
        await upstream.request("GET", "x", decode=DECODE)
    # on a busy machine, the second slot may expire as well
    assert budget.slots >= 2
    assert upstream.requests == 1


async def test_a_request_takes_one_slot(wire, connect, monkeypatch):
    # on a busy machine, a slot may expire
    monkeypatch.setattr("app.annotation.upstream.sender._MAX_SLOT_AGE", 3_600)
    wire.script = [GOOD]
    budget = Budget()
    upstream = connect(limiter=budget)
    await upstream.request("GET", "x", decode=DECODE)
    before = budget.slots
    await upstream.request("GET", "x", decode=DECODE)
    assert budget.slots == before + 1
