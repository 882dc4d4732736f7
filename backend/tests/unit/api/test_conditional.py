"""Reads have an ETag, are answered with 304 if the client has them, and are compressed if large."""

import gzip
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from app.api.conditional import COMPRESSED_FROM, IN_THREAD_FROM, Conditional

SMALL = b'{"genes": []}'
LARGE = b'{"genes": ["PKD1"]} ' * COMPRESSED_FROM
LINES = [b"one\n", b"two\n" * 100_000, b"three\n"]


async def _small(request: Request) -> Response:
    return Response(SMALL, media_type="application/json")


async def _large(request: Request) -> Response:
    return Response(LARGE, media_type="application/json")


async def _binary(request: Request) -> Response:
    return Response(LARGE, media_type="application/vnd.apache.parquet")


async def _lines(request: Request) -> Response:
    async def lines() -> AsyncIterator[bytes]:
        for each in LINES:
            yield each

    return StreamingResponse(lines(), media_type="text/tab-separated-values")


async def _missing(request: Request) -> Response:
    return JSONResponse({"error": "x" * COMPRESSED_FROM}, 404)


async def _text(request: Request) -> Response:
    return PlainTextResponse("x" * COMPRESSED_FROM)


ROUTES = [
    Route("/api/small", _small),
    Route("/api/large", _large),
    Route("/api/binary", _binary),
    Route("/api/lines", _lines),
    Route("/api/missing", _missing),
    Route("/api/query", _large, methods=["POST"]),
    Route("/api/admin/runs", _text),
    Route("/metrics", _text),
]

Get = Callable[..., Any]


def client(*, private: bool = False) -> httpx.AsyncClient:
    app = Conditional(Starlette(routes=ROUTES), private=private)
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://api", headers={"Accept-Encoding": ""}
    )


GZIP = {"Accept-Encoding": "gzip"}


async def test_an_answer_that_the_client_has_is_not_sent_again() -> None:
    async with client() as api:
        first = await api.get("/api/small")
        tag = first.headers["ETag"]
        assert first.content == SMALL
        assert tag.startswith('"')
        for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
            again = await api.get("/api/small", headers={"If-None-Match": known})
            assert (again.status_code, again.content) == (304, b"")
            assert again.headers["ETag"] == tag
            assert again.headers["Cache-Control"] == "no-cache"
            assert "Content-Length" not in again.headers
        other = await api.get("/api/small", headers={"If-None-Match": '"other"'})
        assert (other.status_code, other.content) == (200, SMALL)


@pytest.mark.parametrize("path", ["/api/large", "/api/lines"])
async def test_a_large_answer_is_compressed_for_clients_that_accept_it(path: str) -> None:
    expected = LARGE if path == "/api/large" else b"".join(LINES)
    async with client() as api, api.stream("GET", path, headers=GZIP) as answer:
        sent = b"".join([part async for part in answer.aiter_raw()])
        assert answer.headers["Content-Encoding"] == "gzip"
        assert answer.headers["Vary"] == "Accept-Encoding"
        assert answer.headers.get("Content-Length", str(len(sent))) == str(len(sent))
    assert gzip.decompress(sent) == expected
    assert len(sent) < len(expected) / 5


async def test_the_compressed_answer_has_an_etag_of_its_own_which_means_the_same() -> None:
    async with client() as api:
        plain, compressed = await api.get("/api/large"), await api.get("/api/large", headers=GZIP)
        tags = plain.headers["ETag"], compressed.headers["ETag"]
        assert tags[0] != tags[1]
        for tag in tags:
            for more in ({}, GZIP):
                again = await api.get("/api/large", headers={"If-None-Match": tag, **more})
                assert again.status_code == 304


@pytest.mark.parametrize(
    ("path", "accepted"),
    [
        ("/api/small", "gzip"),
        ("/api/large", "identity"),
        ("/api/large", "gzip;q=0, identity"),
        ("/api/large", "*;q=0.0"),
        ("/api/binary", "gzip"),
    ],
)
async def test_nothing_is_compressed_in_vain(path: str, accepted: str) -> None:
    async with client() as api:
        answer = await api.get(path, headers={"Accept-Encoding": accepted})
        assert "Content-Encoding" not in answer.headers
        assert int(answer.headers["Content-Length"]) == len(answer.content)


async def test_a_stream_has_no_etag() -> None:
    async with client() as api:
        answer = await api.get("/api/lines", headers={"If-None-Match": "*"})
        assert (answer.status_code, answer.content) == (200, b"".join(LINES))
        assert "ETag" not in answer.headers


async def test_the_answer_to_a_post_is_compressed_and_is_no_subject_of_caches() -> None:
    assert len(LARGE) > IN_THREAD_FROM
    async with client() as api:
        answer = await api.post("/api/query", headers=GZIP | {"If-None-Match": "*"})
        assert (answer.status_code, answer.content) == (200, LARGE)
        assert answer.headers["Content-Encoding"] == "gzip"
        assert "ETag" not in answer.headers


@pytest.mark.parametrize("path", ["/api/missing", "/api/admin/runs", "/metrics", "/api/nothing"])
async def test_other_answers_are_left_as_they_are(path: str) -> None:
    async with client() as api:
        answer = await api.get(path, headers=GZIP)
        assert not {"ETag", "Content-Encoding", "Cache-Control"} & {*map(str.title, answer.headers)}


async def test_responses_to_authorized_requests_are_not_kept_by_shared_caches() -> None:
    async with client(private=True) as api:
        answer = await api.get("/api/small")
        assert answer.headers["Cache-Control"] == "private, no-cache"
        assert answer.headers["Vary"] == "Accept-Encoding, Authorization"
