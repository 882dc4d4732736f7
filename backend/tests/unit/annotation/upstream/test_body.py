import gzip
import tracemalloc
import zlib
from contextlib import contextmanager

import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.annotation.upstream import BadAnswer, UpstreamUnavailable
from app.annotation.upstream.body import read_body, start_of_body

DECODE = msgspec.json.Decoder(dict[str, int]).decode
FOUND = httpx.Response(200, json={"a": 1})
GOOD = gzip.compress(b'{"a":1}')


class Parts(httpx.AsyncByteStream):
    def __init__(self, parts):
        self._parts = parts

    async def __aiter__(self):
        for part in self._parts:
            yield part


def sent(*parts, status=200, encoding=None):
    headers = {} if encoding is None else {"Content-Encoding": encoding}
    return httpx.Response(status, headers=headers, stream=Parts(parts))


@contextmanager
def most_memory(most):
    """Fail if the block allocates more than this number of bytes."""
    tracemalloc.start()
    try:
        yield
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < most


async def ask(upstream):
    return await upstream.request("GET", "one", decode=DECODE)


def bomb(size):
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return packer.compress(bytes(size)) + packer.flush()


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "GZip", "identity, gzip"])
async def test_a_compressed_body_is_read(service, connect, encoding):
    service.script = [sent(GOOD, encoding=encoding)]
    assert await ask(connect()) == {"a": 1}
    assert service.asked[0].headers["Accept-Encoding"] == "gzip"


@pytest.mark.parametrize(
    "encoding", ["gzip, gzip", "gzip, gzip, gzip", "br", "deflate", "gzip, br"]
)
async def test_an_encoding_that_was_not_requested_is_refused(service, connect, encoding):
    body = GOOD
    for _ in encoding.split(",")[1:]:
        body = gzip.compress(body)
    service.script = [sent(body, encoding=encoding)]
    with pytest.raises(BadAnswer, match=f"encoded as {encoding}"):
        await ask(connect())


async def test_two_content_encoding_headers_are_refused(service, connect):
    headers = [("Content-Encoding", "gzip"), ("Content-Encoding", "gzip")]
    service.script = [httpx.Response(200, headers=headers, stream=Parts([gzip.compress(GOOD)]))]
    with pytest.raises(BadAnswer, match="encoded as gzip, gzip"):
        await ask(connect())


async def test_a_body_is_counted_while_it_is_decompressed(service, connect):
    service.script = [sent(bomb(50_000_000), encoding="gzip")]
    with most_memory(5_000_000), pytest.raises(BadAnswer, match="more than 1,000,000 bytes"):
        await ask(connect(max_body=1_000_000))


async def test_small_parts_take_no_more_memory_than_a_large_one(service, connect):
    def small():
        for _ in range(100_000):
            yield bytes(bytearray(b"  "))  # a new object, as from the network

    service.script = [httpx.Response(200, stream=Parts(small()))]
    with most_memory(2_000_000), pytest.raises(BadAnswer, match="more than 180,000 bytes"):
        await ask(connect(max_body=180_000))


async def test_an_endless_compressed_body_of_nothing_is_refused(service, connect):
    nothing = gzip.compress(b"")

    class Endless(httpx.AsyncByteStream):
        async def __aiter__(self):
            while True:
                yield nothing * 1_000

    headers = {"Content-Encoding": "gzip"}
    service.script = [httpx.Response(200, headers=headers, stream=Endless())]
    with pytest.raises(BadAnswer, match="more than 1,000 bytes"):
        await ask(connect(max_body=1_000))


async def test_a_body_of_commas_only_is_refused_before_it_is_decoded(service, connect):
    body = b'{"a":[' + b"[]," * 300_000 + b"[]]}"
    service.script = [sent(body)]
    with most_memory(5_000_000), pytest.raises(BadAnswer, match="more values"):
        await connect(max_body=1_000_000).request("GET", "one", decode=msgspec.json.decode)


@pytest.mark.parametrize("end", [-1, -8, 12])
async def test_a_truncated_compressed_body_is_requested_again(service, connect, end):
    service.script = [sent(GOOD[:end], encoding="gzip"), FOUND]
    assert await ask(connect()) == {"a": 1}
    assert len(service.asked) == 2


async def test_a_body_that_stays_damaged_ends_in_a_wait(service, connect):
    service.script = [lambda _: sent(b"no gzip at all", encoding="gzip")]
    with pytest.raises(UpstreamUnavailable, match="DecodingError"):
        await ask(connect())


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        (sent(gzip.compress(b"no such page"), status=404, encoding="gzip"), "404: no such page"),
        (sent(b"no gzip", status=404, encoding="gzip"), "404: nothing readable"),
        (sent(bomb(10_000), status=404, encoding="gzip, gzip"), "404: nothing readable"),
    ],
)
async def test_the_body_of_a_refusal_is_read_up_to_a_limit(service, connect, answer, shown):
    service.script = [answer]
    with most_memory(2_000_000), pytest.raises(BadAnswer, match=shown):
        await ask(connect())


async def test_the_start_of_a_compressed_bomb_is_read():
    answer = sent(bomb(50_000_000), encoding="gzip")
    with most_memory(2_000_000):
        assert await start_of_body("x", answer, 100) == bytes(100)


@given(
    st.lists(st.binary(max_size=300), min_size=1, max_size=4),
    st.integers(1, 50),
    st.sampled_from([None, "gzip"]),
)
async def test_a_body_does_not_depend_on_how_it_is_cut_into_chunks(members, length, encoding):
    whole = b"".join(members)
    raw = b"".join(map(gzip.compress, members)) if encoding else whole
    parts = [raw[at : at + length] for at in range(0, len(raw), length)]
    assert await read_body("x", sent(*parts, encoding=encoding), 2_000) == whole
    if whole:
        with pytest.raises(BadAnswer):
            await read_body("x", sent(*parts, encoding=encoding), len(whole) - 1)
