import asyncio
import errno
import gzip
from pathlib import Path

import httpx
import pytest

from app.annotation.upstream import BadAnswer, UpstreamUnavailable
from app.core.errors import Wait

CONTENT = bytes(range(256)) * 20_000
"""About five megabytes: several writes."""

VERSION = {"ETag": '"v1"', "Last-Modified": "Sun, 15 Nov 2026 04:05:06 GMT"}


class Broken(httpx.AsyncByteStream):
    """A body that ends with httpx's error after some bytes."""

    def __init__(self, sent):
        self._sent = sent

    async def __aiter__(self):
        yield self._sent
        raise httpx.RemoteProtocolError("peer closed connection without sending complete body")


CHUNKED = {"Transfer-Encoding": "chunked"}


class Stream(httpx.AsyncByteStream):
    """A body without a stated length."""

    def __init__(self, sent):
        self._sent = sent

    async def __aiter__(self):
        yield self._sent


def whole(_=None, content=CONTENT, **headers):
    return httpx.Response(200, headers=VERSION | headers, content=content)


def cut(at):
    headers = VERSION | {"Content-Length": str(len(CONTENT))}
    return httpx.Response(200, headers=headers, stream=Broken(CONTENT[:at]))


def rest(request):
    start = int(request.headers["Range"].removeprefix("bytes=").removesuffix("-"))
    headers = VERSION | {"Content-Range": f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}"}
    return httpx.Response(206, headers=headers, content=CONTENT[start:])


def files(folder: Path):
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


async def test_a_file_is_downloaded_completely_with_its_release(service, connect, tmp_path):
    service.script = [whole]
    got = await connect().download("tab_delimited/variants.txt")
    assert got.path.read_bytes() == CONTENT
    assert got.release == "2026-11-15"
    assert got.path.name == "variants.txt"
    assert str(service.asked[0].url).endswith("/api/tab_delimited/variants.txt")
    assert files(tmp_path) == ["variants.txt", "variants.txt.json", "variants.txt.lock"]


async def test_an_unchanged_file_is_not_fetched_again(service, connect):
    service.script = [whole, httpx.Response(304)]
    first = await connect().download("f")
    again = await connect().download("f")
    assert again == first
    asked = service.asked[1].headers
    assert asked["If-None-Match"] == VERSION["ETag"]
    assert asked["If-Modified-Since"] == VERSION["Last-Modified"]


async def test_a_changed_file_replaces_the_old_one(service, connect):
    newer = {"ETag": '"v2"', "Last-Modified": "Sun, 22 Nov 2026 04:05:06 GMT"}
    service.script = [whole, lambda _: whole(content=b"new", **newer), httpx.Response(304)]
    upstream = connect()
    await upstream.download("f")
    got = await upstream.download("f")
    assert (got.path.read_bytes(), got.release) == (b"new", "2026-11-22")
    assert await upstream.download("f") == got
    assert service.asked[2].headers["If-None-Match"] == '"v2"'


@pytest.mark.parametrize("notes", [b"\xff\xfe", b'{"release": "\xff"}', b"[]"])
async def test_a_file_is_downloaded_again_if_its_metadata_are_not_text(service, connect, notes):
    service.script = [whole]
    upstream = connect()
    got = await upstream.download("f")
    got.path.with_name("f.json").write_bytes(notes)
    assert await upstream.download("f") == got
    assert upstream.requests == 2


async def test_a_modified_copy_is_downloaded_again(service, connect):
    service.script = [whole]
    upstream = connect()
    got = await upstream.download("f")
    got.path.write_bytes(b"half")
    again = await upstream.download("f")
    assert again.path.read_bytes() == CONTENT
    assert "If-None-Match" not in service.asked[1].headers


async def test_a_file_is_downloaded_again_if_its_metadata_are_not_json(service, connect):
    service.script = [whole]
    upstream = connect()
    got = await upstream.download("f")
    got.path.with_name("f.json").write_text("{")
    assert await upstream.download("f") == got


async def test_the_copy_of_a_mirror_is_kept_apart(service, connect):
    service.script = [whole, lambda _: whole(content=b"mirror")]
    got = await connect().download("f")
    other = await connect(base_url="https://mirror.example").download("f")
    assert (got.path.read_bytes(), other.path.read_bytes()) == (CONTENT, b"mirror")


async def test_an_interrupted_download_is_resumed(service, connect):
    service.script = [cut(3_000_000), rest]
    got = await connect().download("f")
    assert got.path.read_bytes() == CONTENT
    assert got.release == "2026-11-15"
    assert service.asked[1].headers["If-Range"] == VERSION["ETag"]
    assert service.asked[1].headers["Range"] == f"bytes={2 * 1024**2}-"


async def test_a_download_starts_again_when_the_file_has_changed_meanwhile(service, connect):
    newer = {"ETag": '"v2"', "Last-Modified": "Sun, 22 Nov 2026 04:05:06 GMT"}
    service.script = [cut(3_000_000), lambda _: whole(content=b"new", **newer)]
    got = await connect().download("f")
    assert (got.path.read_bytes(), got.release) == (b"new", "2026-11-22")


@pytest.mark.parametrize(
    "strange",
    [
        httpx.Response(416),
        httpx.Response(206, headers={"Content-Range": "bytes 7-9/10"}, content=b"abc"),
        httpx.Response(206, content=b"abc"),
    ],
)
async def test_a_download_starts_again_when_the_rest_is_not_available(service, connect, strange):
    service.script = [cut(3_000_000), strange, whole]
    got = await connect().download("f")
    assert got.path.read_bytes() == CONTENT
    assert "Range" not in service.asked[2].headers


async def test_a_download_without_a_version_starts_again(service, connect):
    headers = {"Content-Length": str(len(CONTENT))}
    broken = httpx.Response(200, headers=headers, stream=Broken(CONTENT[:3_000_000]))
    service.script = [broken, whole]
    assert (await connect().download("f")).path.read_bytes() == CONTENT
    assert "Range" not in service.asked[1].headers


async def test_a_download_with_a_weak_tag_starts_again(service, connect):
    headers = {"ETag": 'W/"v1"', "Content-Length": str(len(CONTENT))}
    broken = httpx.Response(200, headers=headers, stream=Broken(CONTENT[:3_000_000]))
    service.script = [broken, whole]
    assert (await connect().download("f")).path.read_bytes() == CONTENT
    assert "Range" not in service.asked[1].headers


async def test_a_download_that_is_always_interrupted_ends_as_unavailable_and_leaves_no_part(
    service, connect, tmp_path
):
    service.script = [lambda _: cut(3_000_000)]
    with pytest.raises(UpstreamUnavailable):
        await connect().download("f")
    assert len(service.asked) < 10
    assert files(tmp_path) == ["f.lock"]


async def test_a_file_shorter_than_its_content_length_is_refused(service, connect, tmp_path):
    service.script = [httpx.Response(200, headers={"Content-Length": "10"}, content=b"short")]
    with pytest.raises(UpstreamUnavailable, match="5 of 10 bytes"):
        await connect().download("f")
    assert files(tmp_path) == ["f.lock"]


async def test_a_file_without_a_length_or_chunks_is_refused(service, connect, tmp_path):
    service.script = [lambda _: httpx.Response(200, headers=VERSION, stream=Stream(CONTENT[:99]))]
    with pytest.raises(BadAnswer, match="length of the file"):
        await connect().download("f")
    assert files(tmp_path) == ["f.lock"]


async def test_a_chunked_file_without_a_length_is_downloaded(service, connect):
    service.script = [httpx.Response(200, headers=VERSION | CHUNKED, stream=Stream(CONTENT))]
    assert (await connect().download("f")).path.read_bytes() == CONTENT


async def test_an_older_file_does_not_replace_the_copy_in_use(service, connect, caplog):
    older = {"ETag": '"v0"', "Last-Modified": "Sun, 08 Nov 2026 04:05:06 GMT"}
    service.script = [whole, lambda _: whole(content=b"old", **older), httpx.Response(304)]
    upstream = connect()
    first = await upstream.download("f")
    assert await upstream.download("f") == first
    assert first.path.read_bytes() == CONTENT
    assert "of 2026-11-08 is older than the local copy of 2026-11-15" in caplog.text
    assert await upstream.download("f") == first
    assert service.asked[2].headers["If-None-Match"] == VERSION["ETag"]


async def test_a_copy_dated_in_the_future_is_replaced(service, connect):
    service.script = [whole, lambda _: whole(content=b"new", ETag='"v2"')]
    got = await connect().download("f")
    side = got.path.with_name("f.json")
    side.write_text(side.read_text().replace("Nov 2026", "Nov 2199"))
    assert (await connect().download("f")).path.read_bytes() == b"new"


@pytest.mark.parametrize("encoding", ["gzip", "br", "gzip, gzip"])
async def test_a_file_with_a_content_encoding_is_refused(service, connect, encoding):
    body = gzip.compress(b"a\tb")
    headers = VERSION | {"Content-Encoding": encoding, "Content-Length": str(len(body))}
    service.script = [lambda _: httpx.Response(200, headers=headers, stream=Stream(body))]
    with pytest.raises(BadAnswer, match=f"encoded as {encoding}"):
        await connect().download("f.txt")


async def test_a_gzip_file_may_state_gzip_as_its_content_encoding(service, connect):
    body = gzip.compress(b"a\tb")
    service.script = [lambda _: whole(content=body, **{"Content-Encoding": "x-gzip"})]
    assert (await connect().download("f.gz")).path.read_bytes() == body


@pytest.mark.parametrize(("tag", "longer"), [('"v2"', 0), ('"v2"', 1), (None, 1)])
async def test_parts_of_two_versions_are_never_joined(service, connect, tag, longer):
    def another(request):
        answer = rest(request)
        content = answer.read() + b"x" * longer
        total = len(CONTENT) + longer
        headers = {"Content-Range": f"bytes {total - len(content)}-{total - 1}/{total}"}
        headers |= {"ETag": tag} if tag else {}
        return httpx.Response(206, headers=headers, content=content)

    service.script = [cut(3_000_000), another, whole]
    assert (await connect().download("f")).path.read_bytes() == CONTENT
    assert "Range" not in service.asked[2].headers


async def test_a_part_without_a_known_length_is_joined_only_when_both_answers_state_the_version(
    service, connect
):
    """The first version has a date, and the second one a tag."""
    dated = CHUNKED | {"Last-Modified": VERSION["Last-Modified"]}
    broken = httpx.Response(200, headers=dated, stream=Broken(CONTENT[:3_000_000]))

    def another(request):
        answer = rest(request)
        del answer.headers["Last-Modified"]
        return answer

    service.script = [broken, another, whole]
    await connect().download("f")
    assert [("Range" in request.headers) for request in service.asked] == [False, True, False]


async def test_a_part_that_was_not_requested_is_not_used_as_the_file(service, connect):
    part = {"Content-Range": f"bytes 0-{len(CONTENT) - 1}/{len(CONTENT)}"}
    service.script = [httpx.Response(206, headers=part, content=CONTENT), whole]
    assert (await connect().download("f")).release == "2026-11-15"


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        (httpx.Response(404), "404"),
        (whole(), "more than 1,000"),
        (httpx.Response(200, stream=Stream(CONTENT), headers=CHUNKED), "more than 1,000"),
    ],
)
async def test_a_missing_or_too_long_file_is_a_bad_answer(
    service, connect, tmp_path, answer, shown
):
    service.script = [answer]
    with pytest.raises(BadAnswer, match=shown):
        await connect(max_download=1_000).download("f")
    assert files(tmp_path) == ["f.lock"]


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        (httpx.Response(200, html="<html>Log in to the network</html>"), "web page"),
        (httpx.Response(200, text="<!DOCTYPE html><html>Maintenance"), "web page"),
        (httpx.Response(200, html="<table><tr><td>Blocked"), "web page"),
        (httpx.Response(200, text="Service unavailable"), "not a gzip"),
        (httpx.Response(200, headers={"Content-Length": "0"}), "empty"),
        (httpx.Response(200, stream=Stream(b""), headers=CHUNKED), "empty"),
        (httpx.Response(204), "204"),
        (httpx.Response(407, html="<html>Log in</html>"), "407"),
    ],
)
async def test_a_web_page_instead_of_a_file_means_unavailable_and_the_copy_is_kept(
    service, connect, answer, shown
):
    good = gzip.compress(b"good")
    service.script = [lambda _: whole(content=good), answer]
    first = await connect().download("f.gz")
    with pytest.raises(UpstreamUnavailable, match=shown) as caught:
        await connect().download("f.gz")
    assert caught.value.seconds >= 60
    assert len(service.asked) == 2
    assert first.path.read_bytes() == good


async def test_a_download_is_retried_after_transient_failures(service, connect):
    service.script = [
        httpx.Response(503),
        httpx.ConnectError("x"),
        httpx.Response(429, headers={"Retry-After": "0"}),
        whole,
    ]
    assert (await connect().download("f")).path.read_bytes() == CONTENT


async def test_without_a_date_the_release_is_the_day_of_the_answer(service, connect):
    headers = {"Date": "Mon, 23 Nov 2026 00:00:00 GMT"}
    service.script = [httpx.Response(200, headers=headers, content=b"x")]
    assert (await connect().download("f")).release == "2026-11-23"


@pytest.mark.parametrize(
    "modified",
    ["Fri, 31 Dec 9999 23:59:59 GMT", "Thu, 01 Jan 1970 00:00:00 GMT", "Mon, 01 Jan 0001 -2300"],
)
async def test_an_impossible_date_is_not_used_as_the_release(service, connect, modified):
    headers = {"Date": "Mon, 23 Nov 2026 00:00:00 GMT", "Last-Modified": modified}
    service.script = [httpx.Response(200, headers=headers, content=b"x")]
    assert (await connect().download("f")).release == "2026-11-23"
    await connect().download("f")
    assert "If-Modified-Since" not in service.asked[1].headers


async def test_a_release_is_a_day_in_utc(service, connect):
    headers = {"Last-Modified": "Sun, 15 Nov 2026 23:30:00 -0500"}
    service.script = [httpx.Response(200, headers=headers, content=b"x")]
    assert (await connect().download("f")).release == "2026-11-16"


@pytest.mark.parametrize("tag", ['"é"', '"' + "v" * 2_000 + '"'])
async def test_a_tag_that_a_header_cannot_contain_is_ignored(service, connect, tag):
    headers = [(b"ETag", tag.encode()), (b"Last-Modified", VERSION["Last-Modified"].encode())]
    service.script = [httpx.Response(200, headers=headers, content=b"x"), httpx.Response(304)]
    first = await connect().download("f")
    assert await connect().download("f") == first
    assert "If-None-Match" not in service.asked[1].headers


async def test_a_range_with_too_many_digits_is_ignored(service, connect):
    headers = {"Content-Range": f"bytes {2 * 1024**2}-{'9' * 5_000}/{'9' * 5_000}"}
    service.script = [cut(3_000_000), httpx.Response(206, headers=headers, content=b"x"), whole]
    assert (await connect().download("f")).path.read_bytes() == CONTENT


async def test_concurrent_downloads_of_one_file_fetch_it_once(service, connect):
    service.script = [whole, httpx.Response(304)]
    got = await asyncio.gather(connect().download("f"), connect().download("f"))
    assert got[0] == got[1]
    assert [request.headers.get("If-None-Match") for request in service.asked] == [None, '"v1"']


async def test_a_cancelled_download_leaves_no_part_and_no_lock(service, connect, tmp_path):
    reached = asyncio.Event()

    class Stuck(httpx.AsyncByteStream):
        async def __aiter__(self):
            yield CONTENT
            reached.set()
            await asyncio.Event().wait()

    service.script = [httpx.Response(200, headers=VERSION | CHUNKED, stream=Stuck()), whole]
    downloading = asyncio.create_task(connect().download("f"))
    await reached.wait()
    downloading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await downloading
    assert files(tmp_path) == ["f.lock"]
    assert (await connect().download("f")).path.read_bytes() == CONTENT


async def test_the_part_of_a_killed_process_is_removed(service, connect, tmp_path):
    service.script = [whole, lambda _: whole(content=b"new")]
    got = await connect().download("f")
    got.path.with_name("f.1234.part").write_bytes(b"left")
    await connect().download("f")
    assert files(tmp_path) == ["f", "f.json", "f.lock"]


async def test_a_full_disk_is_a_wait_for_the_disk(service, connect, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("app.annotation.upstream.download._write", full)
    service.script = [whole]
    with pytest.raises(Wait) as caught:
        await connect().download("f")
    assert caught.value.what == "disk"
    assert files(tmp_path) == ["f.lock"]


async def test_a_download_without_a_cache_folder_is_refused(connect):
    with pytest.raises(ValueError, match="cache_dir"):
        await connect(cache_dir=None).download("f")
