"""Sends single tries to a host, within its limits."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx

from app.annotation.upstream import answers
from app.annotation.upstream.body import ENCODING, start_of_body
from app.annotation.upstream.errors import UpstreamUnavailable
from app.annotation.upstream.host import Host
from app.core.redis.rate_limits import RateLimiter

_STALE_SLOT = 0.015
"""Seconds after which a slot is given up for another, if the request has still not gone out: it
took a new connection (tens to hundreds of ms), or this process was busy."""

_BUDGET_SECONDS = 120.0
"""The longest wait for a slot; the budget is paused if it takes that long."""


class Sender:
    """Keeps to the host's concurrency and request budget, and tells a failure from an answer.

    Args:
        host: its name and concurrency are used.
        base_url: the host's address.
        limiter: the budgets.
        http: the client that is used; it is not closed here.
        budget: the name of the budget.
        rate: requests a second.
        secrets: to be hidden in every text.
        try_seconds: the longest that one try may take.
        longest_wait: seconds; a service that asks for a longer one is not believed.

    Attributes:
        requests: sent so far.
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
        try_seconds: float,
        longest_wait: float,
    ) -> None:
        self.requests = 0
        self._host = host.name
        self._base_url = base_url.rstrip("/")
        self._limiter = limiter
        self._http = http
        self._budget = budget
        self._rate = rate
        self._secrets = secrets
        self._try_seconds = try_seconds
        self._longest_wait = longest_wait
        self._flights = asyncio.Semaphore(host.concurrency)

    @asynccontextmanager
    async def send(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        seconds: float | None = None,
        **content: Any,
    ) -> AsyncIterator[httpx.Response]:
        """Send one try within the limits and give its response, the body unread.

        Raises:
            TryAgain: no answer, or an answer that broke off inside the block.
        """
        async with self._flights:
            took = await self._take_slot()

            async def on_event(event: str, info: Mapping[str, Any]) -> None:
                nonlocal took
                if not event.endswith("send_request_headers.started"):
                    return
                if info["request"].method == b"CONNECT":  # meant for a proxy
                    return
                if time.monotonic() - took > _STALE_SLOT:
                    took = await self._take_slot()

            request = self._http.build_request(
                method,
                f"{self._base_url}/{path.lstrip('/')}",
                headers={"Accept-Encoding": ENCODING, **(headers or {})},
                extensions={"trace": on_event},
                **content,
            )
            self.requests += 1
            try:
                async with asyncio.timeout(seconds or self._try_seconds):
                    response = await self._http.send(request, stream=True, follow_redirects=False)
                    try:
                        yield response
                    finally:
                        await response.aclose()
            except (httpx.TransportError, httpx.DecodingError, TimeoutError) as error:
                raise answers.unreachable(self._host, error, self._secrets) from error

    async def failure(self, response: httpx.Response) -> Exception:
        """Return what to raise for an answer that is no success; a refusal slows everybody down."""
        body = await start_of_body(self._host, response, answers.EXCERPT_BYTES)
        failure = answers.failure(self._host, response, body, self._secrets, self._longest_wait)
        pause = answers.pause(failure, response)
        if pause:
            await self._limiter.pause(self._budget, pause)
        return failure

    async def _take_slot(self) -> float:
        """Wait for the budget; return when the slot was given, by the monotonic clock."""
        try:
            async with asyncio.timeout(_BUDGET_SECONDS):
                await self._limiter.acquire(self._budget, self._rate)
        except TimeoutError as error:
            reason = f"no slot of its request budget in {_BUDGET_SECONDS:.0f} s"
            raise UpstreamUnavailable(self._host, 60, reason) from error
        return time.monotonic()
