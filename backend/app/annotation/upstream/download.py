"""Downloads one file, and resumes the download after interruptions."""

import asyncio
import logging
import re
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path

import httpx

from app.annotation.upstream.answers import UNAVAILABLE_SECONDS, excerpt
from app.annotation.upstream.body import encodings
from app.annotation.upstream.cache import CachedFile, Download, Known
from app.annotation.upstream.dates import past_date
from app.annotation.upstream.errors import BadAnswer, UpstreamUnavailable
from app.annotation.upstream.outages import is_web_page
from app.annotation.upstream.release import public_address
from app.annotation.upstream.retry import Trouble, TryAgain
from app.annotation.upstream.sender import Sender

logger = logging.getLogger(__name__)

_CHUNK_BYTES = 1024**2
# 18 digits suffice for any file, and int() rejects numbers with too many digits
_RANGE = re.compile(r"bytes (\d{1,18})-\d{1,18}/(\d{1,18})", re.ASCII)
_LENGTH = re.compile(r"\d{1,18}", re.ASCII)
_TRY_TIMEOUT = 3_600.0
_MAX_TAG_CHARS = 1_000
_MAX_SHOWN_CHARS = 60
_GZIP_MAGIC = b"\x1f\x8b"


class Downloading:
    """Downloads a file into a ``.part`` beside it. Every call of :meth:`once` resumes the download.

    Threads do the disk I/O, one megabyte at a time.
    """

    def __init__(
        self,
        *,
        sender: Sender,
        host: str,
        path: str,
        file: CachedFile,
        known: Known | None,
        limit: int,
    ) -> None:
        self._sender = sender
        self._host = host
        self._path = path
        self._file = file
        self._known = known
        self._limit = limit
        self._part: Path | None = None
        self._version: Known | None = None
        self._total: int | None = None
        self._written = 0
        self._furthest = 0

    async def once(self) -> Download:
        """Download the file or the missing part of it.

        Raises:
            TryAgain: the download was interrupted.
            BadAnswer: the file does not exist or is too long.
            UpstreamUnavailable: the service sent something else.
            OSError: the disk is full.
        """
        headers = {"Accept-Encoding": "identity", **self._conditions()}
        async with self._sender.send_for_file(
            "GET", self._path, headers=headers, seconds=_TRY_TIMEOUT
        ) as response:
            if response.status_code == HTTPStatus.NOT_MODIFIED and self._known:
                return self._download(self._known)
            if response.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                raise self._start_again("cannot send the rest of the file")
            if not response.is_success:
                raise await self._sender.failure(response)
            if response.status_code not in {HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT}:
                raise self._unavailable(f"answered {response.status_code} without a file")
            total = self._begin(response)
            if self._known and self._version and _is_older(self._version, self._known):
                logger.warning(
                    "%s: %s of %s is older than the local copy of %s; keeping the local copy",
                    self._host,
                    self._path,
                    self._version.release,
                    self._known.release,
                )
                return self._download(self._known)
            await self._fetch(response, total)
        if total is not None and self._written != total:
            raise self._start_again(f"sent {self._written:,} of {total:,} bytes")
        assert self._part
        assert self._version
        await asyncio.to_thread(self._file.commit, self._part, self._version)
        return self._download(self._version)

    def _download(self, version: Known) -> Download:
        address = public_address(self._sender.address(self._path))
        return Download(
            path=self._file.path,
            name=self._path,
            release=version.release,
            marker=version.marker,
            address=address,
            size=version.size,
        )

    def discard(self) -> None:
        """Remove an incomplete download."""
        if self._part:
            self._part.unlink(missing_ok=True)

    def _conditions(self) -> dict[str, str]:
        version = self._version
        if version and self._written:
            same = _strong(version.etag) or version.last_modified
            if same:
                return {"Range": f"bytes={self._written}-", "If-Range": same}
        elif self._known:
            known = {
                "If-None-Match": self._known.etag,
                "If-Modified-Since": self._known.last_modified,
            }
            return {name: value for name, value in known.items() if value}
        return {}

    def _begin(self, response: httpx.Response) -> int | None:
        """Store the version and offset of a response. Return the file's length, if known."""
        if response.status_code == HTTPStatus.PARTIAL_CONTENT:
            found = _RANGE.fullmatch(response.headers.get("Content-Range", ""))
            start, total = (int(found[1]), int(found[2])) if found else (-1, -1)
            if start != self._written or not self._continues(response, total):
                raise self._start_again("sent a part of the file that was not requested")
            return total
        self._version = version_of(response)
        self._written = 0
        named = encodings(response)
        if named and not (len(named) == 1 and self._path.endswith(".gz")):
            raise self._unusable(f"sent the file encoded as {', '.join(named)[:_MAX_SHOWN_CHARS]}")
        length = response.headers.get("Content-Length", "")
        self._total = int(length) if _LENGTH.fullmatch(length) else None
        if self._total is not None:
            return self._total
        if "chunked" not in response.headers.get("Transfer-Encoding", "").lower():
            raise self._unusable(
                "does not state the length of the file, so truncation could not be recognized;"
                " check for an HTTP/1.0 proxy on the way"
            )
        return None

    def _continues(self, response: httpx.Response, total: int) -> bool:
        """Tell whether a partial response continues the version that is being downloaded."""
        begun, part = self._version, version_of(response)
        if not begun or not self._written:
            return False
        if part.etag is not None and begun.etag is not None and part.etag != begun.etag:
            return False
        if self._total is not None:
            return total == self._total
        # without a known length, the versions that both responses state must be equal
        dated = begun.last_modified is not None and part.last_modified == begun.last_modified
        return dated or (begun.etag is not None and part.etag == begun.etag)

    async def _fetch(self, response: httpx.Response, total: int | None) -> None:
        if (total or 0) > self._limit:
            raise BadAnswer(f"{self._host} offers {total:,} bytes, more than {self._limit:,}")
        if self._part is None:
            self._part = await asyncio.to_thread(self._file.start_part)
        try:
            async for chunk in response.aiter_raw(_CHUNK_BYTES):
                if not self._written:
                    self._refuse_another_file(response, chunk)
                await asyncio.to_thread(_write, self._part, self._written, chunk)
                self._written += len(chunk)
                if self._written > self._limit:
                    raise BadAnswer(f"{self._host} sent more than {self._limit:,} bytes")
        except httpx.TransportError as error:
            if self._written <= self._furthest:
                raise
            self._furthest = self._written
            reason = f"broke off after {self._written:,} bytes ({type(error).__name__})"
            outcome = UpstreamUnavailable(self._host, UNAVAILABLE_SECONDS, reason)
            raise TryAgain(Trouble.CUT, reason, outcome) from error
        if not self._written and not total:
            raise self._unavailable("sent an empty file")

    def _refuse_another_file(self, response: httpx.Response, start: bytes) -> None:
        """Refuse content that cannot be the file before it replaces the local copy.

        There is no immediate retry, because the response would be the same.
        """
        page = response.headers.get("Content-Type", "").startswith("text/html")
        if is_web_page(start) or (page and start.lstrip().startswith(b"<")):
            raise self._unavailable(f"sent a web page instead of the file: {excerpt(start)}")
        if self._path.endswith(".gz") and not start.startswith(_GZIP_MAGIC):
            raise self._unavailable(f"sent something that is not a gzip file: {excerpt(start)}")

    def _unavailable(self, reason: str) -> UpstreamUnavailable:
        return UpstreamUnavailable(self._host, UNAVAILABLE_SECONDS, reason)

    def _unusable(self, reason: str) -> TryAgain:
        return TryAgain(Trouble.BODY, reason, BadAnswer(f"{self._host} {reason}"))

    def _start_again(self, reason: str) -> TryAgain:
        self._written = 0
        return TryAgain(Trouble.FAULT, reason, self._unavailable(reason))


def _is_older(offered: Known, known: Known) -> bool:
    """Tell whether the offered version is older than the known one; False if a date is missing."""
    then, now = past_date(offered.last_modified), past_date(known.last_modified)
    return then is not None and now is not None and then < now


def _write(path: Path, offset: int, chunk: bytes) -> None:
    with path.open("r+b") as part:
        part.seek(offset)
        part.truncate()
        part.write(chunk)


def version_of(response: httpx.Response) -> Known:
    """Return the version of a file from the headers of a response."""
    modified = response.headers.get("Last-Modified")
    moment = past_date(modified)
    # an implausible date does not identify a version
    last_modified = modified if moment else None
    moment = moment or past_date(response.headers.get("Date")) or datetime.now(UTC)
    return Known(
        release=moment.date().isoformat(),
        etag=_tag(response.headers.get("ETag")),
        last_modified=last_modified,
    )


def _tag(etag: str | None) -> str | None:
    """Return the tag if a header may contain its characters (RFC 9110, 5.5); None otherwise."""
    sendable = etag and etag.isascii() and etag.isprintable() and len(etag) <= _MAX_TAG_CHARS
    return etag if sendable else None


def _strong(etag: str | None) -> str | None:
    """Return the tag if ``If-Range`` may contain it: it is not weak (RFC 9110, 13.1.5)."""
    return None if etag is None or etag.startswith("W/") else etag
