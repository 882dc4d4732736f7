"""After any download, the file is one complete version, or the old copy is kept."""

import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.annotation.upstream import BadAnswer, Download, Host, Retries, Upstream
from app.annotation.upstream import download as downloads
from app.core.errors import Wait
from app.core.redis.rate_limits import LocalRateLimiter

FIRST = datetime(2026, 1, 1, tzinfo=UTC)
TRIES = Retries(refused=2, fault=3, cut=6, body=2, first=0, max_backoff=0)
CHUNK = 16
BROKEN = (
    httpx.RemoteProtocolError("peer closed connection without sending complete message body"),
    httpx.ReadError("reset"),
    httpx.ReadTimeout("silence"),
)


@dataclass(frozen=True)
class Version:
    """A version of the file with its date. Versions differ in length."""

    number: int
    tag: bool
    dated: bool

    @property
    def content(self) -> bytes:
        return f"version {self.number}: ".encode() * (3 + self.number)

    @property
    def day(self) -> datetime:
        return FIRST + timedelta(days=self.number)

    @property
    def headers(self) -> dict[str, str]:
        said = {"Date": format_datetime(self.day, usegmt=True)}
        if self.tag:
            said["ETag"] = f'"{self.number}"'
        if self.dated:
            said["Last-Modified"] = said["Date"]
        return said


@dataclass(frozen=True)
class Step:
    """The behaviour of the service for one request.

    Attributes:
        version: the current version of the file.
        cut: the number of bytes after which the connection is lost, if the body is longer.
        framed: how the end of the body is marked: by a length, by chunks, or not at all.
        ranges: whether it serves ranges: correctly, ignoring the version, or never.
        instead: the status, if not 200.
        error: the error that ends the connection.
    """

    version: Version
    cut: int | None
    framed: str
    ranges: str
    instead: int
    error: httpx.TransportError


VERSIONS = st.builds(Version, st.integers(0, 4), st.booleans(), st.booleans())
STEPS = st.builds(
    Step,
    VERSIONS,
    st.none() | st.integers(0, 100),
    st.sampled_from(["length", "length", "chunks", "nothing"]),
    st.sampled_from(["right", "right", "careless", "none"]),
    st.sampled_from([200, 200, 200, 200, 204, 206, 404, 416, 429, 503]),
    st.sampled_from(BROKEN),
)


class Body(httpx.AsyncByteStream):
    def __init__(self, content: bytes, step: Step) -> None:
        self._content = content
        self._step = step

    async def __aiter__(self) -> Any:
        cut = self._step.cut
        yield self._content[:cut]
        if cut is not None and cut < len(self._content):
            # only without a length, truncation looks like the end
            if self._step.framed == "nothing":
                return
            raise self._step.error


class Service:
    def __init__(self) -> None:
        self.steps: list[Step] = []

    async def answer(self, request: httpx.Request) -> httpx.Response:
        step = self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]
        version, asked = step.version, request.headers
        same = version.tag and asked.get("If-None-Match") == version.headers["ETag"]
        if same and step.instead == 200:
            return httpx.Response(304, headers=version.headers)
        if step.instead not in {200, 206}:
            return httpx.Response(step.instead, headers={"Retry-After": "0"})
        if "Range" in asked and step.ranges != "none":
            known = {version.headers.get("ETag"), version.headers.get("Last-Modified")}
            start = int(asked["Range"].removeprefix("bytes=").removesuffix("-"))
            if start < len(version.content) and (
                asked["If-Range"] in known or step.ranges == "careless"
            ):
                return self._part(step, start)
        return self._part(step, 0 if step.instead == 206 else None)

    def _part(self, step: Step, start: int | None) -> httpx.Response:
        content = step.version.content[start or 0 :]
        headers = dict(step.version.headers)
        if step.framed == "length":
            headers["Content-Length"] = str(len(content))
        if step.framed == "chunks":
            headers["Transfer-Encoding"] = "chunked"
        status = 200
        if start is not None:
            total = len(step.version.content)
            headers["Content-Range"] = f"bytes {start}-{total - 1}/{total}"
            status = 206
        return httpx.Response(status, headers=headers, stream=Body(content, step))


@pytest.fixture(scope="module", autouse=True)
def _small_chunks() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(downloads, "_CHUNK_BYTES", CHUNK)
        yield


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*") if path.is_file()}


async def download(upstream: Upstream) -> Download | None:
    try:
        return await upstream.download("f")
    except (BadAnswer, Wait):
        return None


def served(got: Download, content: bytes, among: list[Version]) -> list[Version]:
    """Return the possible versions of a download."""
    return [
        version
        for version in among
        if version.content == content and version.day.date().isoformat() == got.release
    ]


@settings(max_examples=100)
@given(st.lists(st.lists(STEPS, min_size=1, max_size=8), min_size=1, max_size=4))
async def test_a_downloaded_file_is_one_complete_version_and_never_an_older_one(
    sessions: list[list[Step]],
) -> None:
    service = Service()
    kept: tuple[Download, bytes] | None = None
    kept_as: list[Version] = []
    with tempfile.TemporaryDirectory() as folder:
        async with httpx.AsyncClient(transport=httpx.MockTransport(service.answer)) as http:
            for steps in sessions:
                service.steps = list(steps)
                upstream = Upstream(
                    Host(name="x", title="", url="", setting="", rate=100_000),
                    base_url="http://x.example",
                    limiter=LocalRateLimiter(window=0),
                    http=http,
                    cache_dir=Path(folder),
                    retries=TRIES,
                )
                got = await download(upstream)
                there = files(Path(folder))
                if got is None and kept is None:
                    assert there == {"f.lock"}
                    continue
                assert there == {"f", "f.json", "f.lock"}
                if got is None:
                    assert kept is not None
                    assert kept[0].path.read_bytes() == kept[1]
                    continue
                now = got, got.path.read_bytes()
                got_as = served(*now, [step.version for step in steps])
                if now == kept:
                    kept_as += got_as
                    continue
                assert got_as
                if kept is not None and got.release < kept[0].release:
                    # a version without a date cannot be recognized as older
                    assert not all(version.dated for version in (*got_as, *kept_as))
                kept, kept_as = now, got_as
