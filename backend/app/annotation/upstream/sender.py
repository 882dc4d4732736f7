"""Sends single tries to a host, within its limits."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import httpx

from app.annotation.upstream import answers
from app.annotation.upstream.body import ENCODING, start_of_body
from app.annotation.upstream.errors import UpstreamUnavailable
from app.annotation.upstream.host import Host
from app.annotation.upstream.retry import TRIED
from app.annotation.upstream.traffic import Traffic
from app.core.process import tracing
from app.core.process.tracing.kinds import REQUEST
from app.core.process.tracing.spans import Untraced, Value
from app.core.redis.rate_limits import RateLimiter

_MAX_SLOT_AGE = 0.015
"""The maximum age of a slot in seconds. A request that is sent later takes another slot first. A
new connection (tens to hundreds of ms) or a busy process can delay a request that long."""

_MAX_REDIRECTS = 5

_BUDGET_TIMEOUT = 120.0
"""The maximum wait for a slot in seconds. A longer wait means that the budget is paused."""


class Sender:
    """Enforces the host's concurrency and request budget, and classifies failures.

    Args:
        host: the declaration of the service, for its name, its concurrency, and whether it
            redirects.
        base_url: the host's address.
        limiter: the request budgets.
        http: the client to send with. The caller closes it.
        budget: the name of the budget.
        rate: the number of requests allowed a second.
        secrets: texts to redact in every message.
        headers: HTTP headers of every request.
        try_seconds: the timeout of one try, in seconds.
        max_wait: the upper limit of a ``Retry-After``, in seconds.

    Attributes:
        traffic: the traffic so far.
    """

    def __init__(
        self,
        host: Host,
        *,
        base_url: str,
        limiter: RateLimiter,
        http: httpx.AsyncClient,
        budget: str,
        rate: float,
        secrets: Sequence[str],
        headers: Mapping[str, str],
        try_seconds: float,
        max_wait: float,
    ) -> None:
        self.traffic = Traffic()
        self._host = host.name
        self._base_url = base_url.rstrip("/")
        self._server = urlsplit(base_url).hostname or ""
        self._redirects = _MAX_REDIRECTS if host.redirects else 0
        self._limiter = limiter
        self._http = http
        self._budget = budget
        self._rate = rate
        self._secrets = secrets
        self._headers = {"Accept-Encoding": ENCODING, **headers}
        self._try_seconds = try_seconds
        self._max_wait = max_wait
        self._in_flight = asyncio.Semaphore(host.concurrency)

    def address(self, path: str) -> str:
        """Return the address of a path below the host's."""
        return f"{self._base_url}/{path.lstrip('/')}"

    @asynccontextmanager
    async def send(self, method: str, path: str, **content: Any) -> AsyncIterator[httpx.Response]:
        """Send one try within the limits, and yield its response before the body is read.

        Raises:
            TryAgain: there was no response, or it was interrupted inside the block.
        """
        async with (
            self._in_flight,
            self._sent(method, self.address(path), **content) as response,
        ):
            yield response

    @asynccontextmanager
    async def send_for_file(
        self, method: str, path: str, *, headers: Mapping[str, str], seconds: float | None = None
    ) -> AsyncIterator[httpx.Response]:
        """Send one try for a file, and follow the redirects of a host that declares them.

        Each redirect is a request of its own within the limits, with the same headers and no
        parameters. A redirect is not followed, and its response is yielded, if there were too many
        before or if its address is not encrypted. Only a host whose own address is not encrypted,
        such as the sandbox, may redirect to an unencrypted address.

        Raises:
            TryAgain: see :meth:`send`.
        """
        url = self.address(path)
        async with self._in_flight:
            for left in range(self._redirects, -1, -1):
                async with self._sent(method, url, headers, seconds) as response:
                    target = self._target(response) if left else None
                    if target is None:
                        yield response
                        return
                url = target

    async def failure(self, response: httpx.Response) -> Exception:
        """Return the exception for an answer that reports a failure.

        A 429 pauses the budget, and so the requests of all workers.
        """
        body = await start_of_body(self._host, response, answers.EXCERPT_BYTES)
        failure = answers.failure(self._host, response, body, self._secrets, self._max_wait)
        pause = answers.pause(failure, response)
        if pause:
            await self._limiter.pause(self._budget, pause)
        return failure

    @asynccontextmanager
    async def _sent(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None = None,
        seconds: float | None = None,
        **content: Any,
    ) -> AsyncIterator[httpx.Response]:
        with self._span(method, url) as span:
            took = await self._take_slot(span)

            async def on_event(event: str, info: Mapping[str, Any]) -> None:
                nonlocal took
                if not event.endswith("send_request_headers.started"):
                    return
                if info["request"].method == b"CONNECT":  # a request to the proxy
                    return
                if time.monotonic() - took > _MAX_SLOT_AGE:
                    took = await self._take_slot(span)

            request = self._http.build_request(
                method,
                url,
                headers={**self._headers, **(headers or {})},
                extensions={"trace": on_event},
                **content,
            )
            self.traffic.requests += 1
            try:
                async with asyncio.timeout(seconds or self._try_seconds):
                    response = await self._http.send(request, stream=True, follow_redirects=False)
                    if response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
                        self.traffic.rate_limited += 1
                    span.set("http.response.status_code", response.status_code)
                    try:
                        yield response
                    finally:
                        self.traffic.bytes_received += response.num_bytes_downloaded
                        await response.aclose()
            except (httpx.TransportError, httpx.DecodingError, TimeoutError) as error:
                raise answers.unreachable(self._host, error, self._secrets) from error

    def _span(self, method: str, url: str) -> Untraced:
        """Return the span of one try, without the query, which may contain a key."""
        ours = url.startswith(f"{self._base_url}/")
        known: dict[str, Value] = {
            "server.address": self._server if ours else urlsplit(url).hostname or "",
            "http.request.method": method,
            # the target of a redirect may contain a signature
            "url.path": url[len(self._base_url) :].partition("?")[0] if ours else "",
            "http.request.resend_count": TRIED.get(),
        }
        return tracing.span(REQUEST, known, label=self._host)

    def _target(self, response: httpx.Response) -> str | None:
        """Return the target of a redirect; None if there is none or it must not be followed."""
        if not response.has_redirect_location:
            return None
        try:
            target = response.url.join(response.headers["Location"])
        except httpx.InvalidURL:
            return None
        allowed = {"https", "http"} if self._base_url.startswith("http:") else {"https"}
        return str(target) if target.scheme in allowed and target.host else None

    async def _take_slot(self, span: Untraced) -> float:
        """Wait for a slot of the budget. Return the monotonic time of the slot."""
        began = time.monotonic()
        try:
            async with asyncio.timeout(_BUDGET_TIMEOUT):
                await self._limiter.acquire(self._budget, self._rate)
        except TimeoutError as error:
            reason = f"its request budget gave no slot for {_BUDGET_TIMEOUT:.0f} s"
            raise UpstreamUnavailable(self._host, 60, reason) from error
        finally:
            given = time.monotonic()
            self.traffic.budget_seconds += given - began
            span.add("request.waited", given - began)
        return given
