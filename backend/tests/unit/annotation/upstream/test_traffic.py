"""The traffic of requests to a service."""

import gzip
from types import SimpleNamespace

import httpx
import pytest

from app.annotation.upstream import UpstreamUnavailable, sender
from app.annotation.upstream.traffic import Traffic
from app.core.redis.rate_limits import LocalRateLimiter
from tests.unit.annotation.upstream.conftest import QUICK

BODY = b'{"a": "' + b"x" * 5_000 + b'"}'
PACKED = gzip.compress(BODY)
REFUSED = b"too many requests"


def refused() -> httpx.Response:
    stream = httpx.ByteStream(REFUSED)
    return httpx.Response(429, headers={"Retry-After": "0"}, stream=stream)


async def ask(upstream) -> bytes:
    return await upstream.request("GET", "x", decode=bytes)


async def test_each_try_counts_with_the_bytes_that_were_sent(service, connect) -> None:
    encoded = {"Content-Encoding": "gzip"}
    service.script = [
        refused(),
        refused(),
        httpx.ConnectError("refused"),
        httpx.Response(200, headers=encoded, stream=httpx.ByteStream(PACKED)),
    ]
    upstream = connect()
    assert await ask(upstream) == BODY
    assert upstream.traffic.requests == 4
    assert upstream.traffic.rate_limited == 2
    assert upstream.traffic.bytes_received == 2 * len(REFUSED) + len(PACKED)
    assert len(PACKED) < len(BODY) / 10


async def test_an_abandoned_request_also_counts(service, connect) -> None:
    service.script = [refused()]
    upstream = connect()
    with pytest.raises(UpstreamUnavailable):
        await ask(upstream)
    assert upstream.traffic.requests == QUICK.refused
    assert upstream.traffic.rate_limited == QUICK.refused


async def test_the_bytes_of_an_interrupted_download_count(service, connect) -> None:
    def breaks_off(_: httpx.Request) -> httpx.Response:
        async def stream():
            yield b"0123456789"
            raise httpx.ReadError("reset")

        return httpx.Response(200, headers={"Content-Length": "15", "ETag": '"1"'},
                              content=stream())  # fmt: skip

    whole = httpx.Response(200, headers={"Content-Length": "15"},
                           stream=httpx.ByteStream(b"0123456789abcde"))  # fmt: skip
    service.script = [breaks_off, whole]
    upstream = connect()
    download = await upstream.download("file.txt")
    assert download.path.read_bytes() == b"0123456789abcde"
    assert (upstream.traffic.requests, upstream.traffic.bytes_received) == (2, 10 + 15)


async def test_the_waits_of_requests_for_the_budget_are_added(
    service, connect, monkeypatch
) -> None:
    now = 1_000.0

    class Slow(LocalRateLimiter):
        async def acquire(self, budget: str, rate: float) -> None:
            nonlocal now
            now += 2.5

    monkeypatch.setattr(sender, "time", SimpleNamespace(monotonic=lambda: now))
    service.script = [refused(), httpx.Response(200, stream=httpx.ByteStream(b"1"))]
    upstream = connect(limiter=Slow(window=0))
    await ask(upstream)
    assert upstream.traffic.budget_seconds == 5


async def test_the_wait_for_a_budget_without_a_free_slot_counts(
    service, connect, monkeypatch
) -> None:
    now = 1_000.0

    class Stuck(LocalRateLimiter):
        async def acquire(self, budget: str, rate: float) -> None:
            nonlocal now
            now += 120
            raise TimeoutError

    monkeypatch.setattr(sender, "time", SimpleNamespace(monotonic=lambda: now))
    upstream = connect(limiter=Stuck(window=0))
    with pytest.raises(UpstreamUnavailable):
        await ask(upstream)
    assert upstream.traffic == Traffic(requests=0, budget_seconds=120)


def test_traffic_can_be_added_and_compared_with_an_earlier_state() -> None:
    earlier, later = Traffic(2, 1, 0.5, 100), Traffic(5, 1, 2.0, 350)
    assert later - earlier == Traffic(3, 0, 1.5, 250)
    assert earlier + Traffic(3, 0, 1.5, 250) == later
