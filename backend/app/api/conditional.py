"""Adds ETags to reads, answers 304 where possible, and compresses large responses."""

import asyncio
import hashlib
import re
import zlib
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.auth import is_read

T = TypeVar("T")

COMPRESSED_FROM = 32 * 1024
"""Bytes. Smaller responses are not compressed: all annotations of one gene have about 20 KB."""

IN_THREAD_FROM = 256 * 1024
"""Bytes. Larger parts are hashed and compressed in a thread, because this takes milliseconds."""

LEVEL = 1
"""The compression level. JSON shrinks to a sixth; higher levels take three times as long to save a
further tenth."""

_GZIP = 31
"""zlib's `wbits` for the gzip format."""

_REFUSED = re.compile(r"q=0(\.0*)?")
"""The weight of an encoding that a client does not accept."""


class Conditional:
    """Adds ``ETag`` and ``Cache-Control`` to successful reads, and compresses large responses.

    A response in one part gets an ETag from its body. A streamed response has none. A cache must
    revalidate a stored response before it uses it, and gets a 304 if nothing has changed.

    Args:
        app: the application.
        private: whether reads need a token, so that shared caches must not store responses.
    """

    def __init__(self, app: ASGIApp, *, private: bool) -> None:
        self._app = app
        self._headers = {"Cache-Control": "private, no-cache" if private else "no-cache"}
        self._vary = ("Accept-Encoding", "Authorization") if private else ("Accept-Encoding",)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http" or not is_read(scope):
            await self._app(scope, receive, send)
            return
        answer = _Answer(Headers(scope=scope), scope["method"], self._headers, self._vary, send)
        await self._app(scope, receive, answer.send)


class _Answer:
    """Processes one response on its way to the client."""

    def __init__(
        self,
        request: Headers,
        method: str,
        headers: dict[str, str],
        vary: Sequence[str],
        send: Send,
    ) -> None:
        self._request = request
        self._is_get = method == "GET"
        self._headers = headers
        self._vary = vary
        self._send = send
        self._start: Message | None = None
        self._gzip: zlib._Compress | None = None

    async def send(self, message: Message) -> None:
        """Send a message of the application. The start is delayed until the first body part."""
        if message["type"] == "http.response.start":
            self._start = message
            return
        if message["type"] != "http.response.body":
            await self._send(message)
            return
        body, more = message.get("body", b""), message.get("more_body", False)
        if self._start is not None:
            start, self._start = self._start, None
            body = await self._begin(start, body, more=more)
        elif self._gzip is not None:
            body = await _apart(len(body), self._compress, body, more)
        await self._send({**message, "body": body})

    async def _begin(self, start: Message, body: bytes, *, more: bool) -> bytes:
        """Send the start with the appropriate headers, and return the first part of the body."""
        if start["status"] != 200:  # noqa: PLR2004 - HTTP's OK
            await self._send(start)
            return body
        headers = MutableHeaders(raw=start["headers"])
        for name in self._vary:
            headers.add_vary_header(name)
        for name, value in self._headers.items():
            headers.setdefault(name, value)
        gzip = self._is_compressed(headers, body, more=more)
        if self._is_get and not more:
            digest = await _apart(len(body), _digest, body)
            # another encoding is another representation (RFC 9110, section 8.8.3.3)
            headers["ETag"] = f'"{digest}-gzip"' if gzip else f'"{digest}"'
            if {digest, "*"} & _known(self._request.get("if-none-match", "")):
                del headers["Content-Length"]
                del headers["Content-Type"]
                await self._send({**start, "status": 304})
                return b""
        if gzip:
            headers["Content-Encoding"] = "gzip"
            self._gzip = zlib.compressobj(LEVEL, wbits=_GZIP)
            body = await _apart(len(body), self._compress, body, more)
            del headers["Content-Length"]
            if not more:
                headers["Content-Length"] = str(len(body))
        await self._send(start)
        return body

    def _is_compressed(self, headers: MutableHeaders, body: bytes, *, more: bool) -> bool:
        if "Content-Encoding" in headers or not (more or len(body) >= COMPRESSED_FROM):
            return False
        kind = headers.get("Content-Type", "")
        is_text = kind.startswith("text/") or "json" in kind
        return is_text and accepts_gzip(self._request.get("accept-encoding", ""))

    def _compress(self, body: bytes, more: bool) -> bytes:  # noqa: FBT001 - called in a thread
        assert self._gzip is not None
        compressed = self._gzip.compress(body)
        # each part is flushed, so that the first changes reach the client at once
        return compressed + self._gzip.flush(zlib.Z_SYNC_FLUSH if more else zlib.Z_FINISH)


async def _apart(size: int, do: Callable[..., T], *arguments: Any) -> T:
    if size < IN_THREAD_FROM:
        return do(*arguments)
    return await asyncio.to_thread(do, *arguments)


def _digest(body: bytes) -> str:
    return hashlib.blake2b(body, digest_size=16).hexdigest()


def _known(if_none_match: str) -> set[str]:
    """Return the digests of the responses that the client has stored."""
    tags = (tag.strip().removeprefix("W/").strip('"') for tag in if_none_match.split(","))
    return {tag.removesuffix("-gzip") for tag in tags}


def accepts_gzip(accepted: str) -> bool:
    """Return whether a client accepts gzip (RFC 9110, section 12.5.3)."""
    accepts: dict[str, bool] = {}
    for part in accepted.lower().split(","):
        coding, _, weight = part.partition(";")
        accepts[coding.strip()] = _REFUSED.fullmatch(weight.strip()) is None
    return accepts.get("gzip", accepts.get("*", False))
