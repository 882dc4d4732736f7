"""The client of one upstream host."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import httpx
import msgspec

from app.annotation.upstream import answers, outages
from app.annotation.upstream.body import read_body
from app.annotation.upstream.cache import CachedFile, Download, waiting_for_disk
from app.annotation.upstream.cache_dir import folder_of
from app.annotation.upstream.download import Downloading, version_of
from app.annotation.upstream.errors import BadAnswer
from app.annotation.upstream.host import Host
from app.annotation.upstream.release import Release, public_address
from app.annotation.upstream.retry import TRIED, Retries, Trouble, TryAgain, retrying
from app.annotation.upstream.sender import Sender
from app.annotation.upstream.traffic import Traffic
from app.core.process.redaction import redact
from app.core.redis.rate_limits import RateLimiter

T = TypeVar("T")

# raised by msgspec for wrong types and invalid JSON, for invalid UTF-8, and for deep nesting
_UNDECODABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)

_BYTES_PER_VALUE = 32
"""A body may contain one value per this many bytes of the maximum length of a body. The limit
bounds memory: an empty list takes 3 bytes of JSON, but 80 bytes of memory."""

_DOWNLOAD_SECONDS = 3_600.0
"""Seconds after which an attempt stops resuming a download."""


TRY_SECONDS = 120.0
"""The timeout of one try, including the response, in seconds."""


class Upstream:
    """Sends requests to one host within its limits, and retries failed ones.

    Args:
        host: the declaration of the service.
        base_url: the address of the service, without a trailing slash.
        limiter: the request budgets.
        http: the client; see :func:`~app.annotation.upstream.new_http_client`. The caller closes
            it.
        rate: the requests a second that this address allows; None means the rate of the public
            service.
        key: the API key, which has a request budget of its own. It is redacted in every message.
        params: query parameters of every request, such as the key and the operator's address.
        headers: HTTP headers of every request.
        cache_dir: the folder in which :meth:`download` keeps files.
        retries: the limits of retries.
        try_seconds: the timeout of one try, in seconds.
    """

    def __init__(
        self,
        host: Host,
        *,
        base_url: str,
        limiter: RateLimiter,
        http: httpx.AsyncClient,
        rate: float | None = None,
        key: str | None = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        cache_dir: Path | None = None,
        retries: Retries | None = None,
        try_seconds: float = TRY_SECONDS,
    ) -> None:
        self.host = host
        self._retries = retries or Retries()
        self._secrets = [key] if key else []
        self._sender = Sender(
            host,
            base_url=base_url,
            limiter=limiter,
            http=http,
            budget=host.budget(key),
            rate=rate or host.allowed(key),
            secrets=self._secrets,
            headers=headers or {},
            try_seconds=try_seconds,
            max_wait=self._retries.max_wait,
        )
        self._folder = cache_dir and folder_of(cache_dir, host, base_url)
        self._params = dict(params or {})

    @property
    def requests(self) -> int:
        """The number of requests sent so far, including retries."""
        return self._sender.traffic.requests

    @property
    def traffic(self) -> Traffic:
        """The traffic so far."""
        return self._sender.traffic

    def address(self, path: str = "") -> str:
        """Return the address of a path below the host's address, without secrets."""
        return public_address(self._sender.address(path))

    async def request(
        self,
        method: str,
        path: str,
        *,
        decode: Callable[[bytes], T],
        params: Mapping[str, str | int] | None = None,
        data: Mapping[str, str | int] | None = None,
        json: Any = None,
    ) -> T:
        """Send a request and return the decoded body.

        Args:
            method: GET or POST.
            path: the path below the host's address.
            decode: decodes the body; raises :class:`BadAnswer` or an error of msgspec if the body
                does not answer the request.
            params: the query parameters.
            data: a form to send. The parameters of every request are then sent in it, not in the
                query.
            json: a JSON body.

        Raises:
            BadAnswer: the answer cannot be used.
            UpstreamUnavailable: the service cannot answer now.
            UserError: the service rejects the API key.
            Wait: Redis, which holds the request budget, is unavailable.
        """

        def of_the_body(body: bytes, _: httpx.Headers) -> T:
            return decode(body)

        return await self.request_with_headers(
            method, path, decode=of_the_body, params=params, data=data, json=json
        )

    async def request_with_headers(
        self,
        method: str,
        path: str,
        *,
        decode: Callable[[bytes, httpx.Headers], T],
        params: Mapping[str, str | int] | None = None,
        data: Mapping[str, str | int] | None = None,
        json: Any = None,
    ) -> T:
        """Send a request and return what ``decode`` makes of the body and the response headers.

        See :meth:`request`.
        """
        query, form = dict(params or {}), None
        if data is None:
            query = {**self._params, **query}
        else:
            form = {**self._params, **data}

        async def once() -> T:
            async with self._sender.send(
                method, path, params=query, data=form, json=json
            ) as response:
                if not response.is_success:
                    raise await self._sender.failure(response)
                body = await read_body(self.host.name, response, self.host.max_body)
            return self._decoded(body, lambda body: decode(body, response.headers))

        return await self._with_retries(once, self._retries)

    async def download(self, path: str, *, limit: int | None = None) -> Download:
        """Return a local copy of the current version of an upstream file.

        The file is downloaded only if it has changed (``ETag``, ``Last-Modified``). An interrupted
        download is resumed, and replaces the old copy when it is complete. A file of unknown length
        is refused, because its end looks like an interruption. An older file, for example from an
        outdated mirror, does not replace the local copy. Of several processes that need the same
        file, only one downloads it.

        Args:
            path: the path below the host's address.
            limit: the maximum length of the file in bytes; by default :attr:`Host.max_download`.

        Raises:
            BadAnswer: the file does not exist or cannot be used.
            UpstreamUnavailable: the service cannot be reached now.
            Wait: Redis, which holds the request budget, is unavailable, or the disk is full.
        """
        if self._folder is None:
            message = f"{self.host.name} was given no cache_dir"
            raise ValueError(message)
        file = CachedFile(self._folder / path)
        with waiting_for_disk():
            async with file.locked():
                download = await self._download(path, file, limit)
                await asyncio.to_thread(file.note_use)
                return download

    async def release_of(self, path: str) -> Release:
        """Return the release of a file from its HTTP headers, without downloading it.

        Args:
            path: the path below the host's address.

        Raises:
            BadAnswer: the file does not exist, or the headers do not identify its version.
            UpstreamUnavailable: the service cannot be reached now.
        """

        async def once() -> Release:
            headers = {"Accept-Encoding": "identity"}
            async with self._sender.send_for_file("HEAD", path, headers=headers) as response:
                if not response.is_success:
                    raise await self._sender.failure(response)
                version = version_of(response)
            if version.etag is None and version.last_modified is None:
                raise BadAnswer(f"{self.host.name} sends neither ETag nor Last-Modified of {path}")
            return Release(version.release, version.marker, self.address(path))

        return await self._with_retries(once, self._retries)

    async def start_of(self, path: str, size: int) -> bytes:
        """Return the first bytes of a file, not decompressed, without a retry.

        Args:
            path: the path below the host's address.
            size: the number of bytes; a shorter file returns fewer.

        Raises:
            BadAnswer: the file does not exist.
            UpstreamUnavailable: the service cannot be reached now.
        """
        wanted = {"Range": f"bytes=0-{size - 1}", "Accept-Encoding": "identity"}
        body = b""
        try:
            async with self._sender.send_for_file("GET", path, headers=wanted) as response:
                if not response.is_success:
                    raise await self._sender.failure(response)
                async for chunk in response.aiter_raw():
                    body += chunk
                    if len(body) >= size:
                        break
        except TryAgain as error:
            raise error.outcome from error.__cause__
        if (nothing := outages.no_answer(self.host.name, body, self._secrets)) is not None:
            raise nothing
        return body

    async def _download(self, path: str, file: CachedFile, limit: int | None) -> Download:
        known = await asyncio.to_thread(file.known)
        downloading = Downloading(
            sender=self._sender,
            host=self.host.name,
            path=path,
            file=file,
            known=known,
            limit=self.host.max_download if limit is None else limit,
        )
        patient = replace(self._retries, seconds=max(_DOWNLOAD_SECONDS, self._retries.seconds))
        try:
            return await self._with_retries(downloading.once, patient)
        finally:
            await asyncio.shield(asyncio.to_thread(downloading.discard))

    def _decoded(self, body: bytes, decode: Callable[[bytes], T]) -> T:
        if (nothing := outages.no_answer(self.host.name, body, self._secrets)) is not None:
            raise nothing
        if body.count(b",") > self.host.max_body // _BYTES_PER_VALUE:
            raise BadAnswer(f"{self.host.name} sent more values than an answer may contain")
        try:
            return decode(body)
        except (BadAnswer, *_UNDECODABLE) as error:
            if (outage := outages.reported_outage(self.host.name, body, self._secrets)) is not None:
                raise outage from None
            problem = redact(str(error), self._secrets)
            shown = answers.excerpt(body, self._secrets)
            reason = f"sent a body that cannot be used: {problem}; it starts: {shown}"
            outcome = BadAnswer(f"{self.host.name} {reason}")
            # not chained, because the original error may quote secrets of the body
            raise TryAgain(Trouble.BODY, reason, outcome) from None

    async def _with_retries(self, once: Callable[[], Awaitable[T]], retries: Retries) -> T:
        try:
            return await retrying(self.host.name, retries)(once)
        except TryAgain as error:
            raise error.outcome from error.__cause__
        finally:
            TRIED.set(0)
