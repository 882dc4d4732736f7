"""HTTP connections to webhooks, which go to checked addresses only."""

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

import httpx

from app import __version__
from app.core.errors import KidneyGeneticsError
from app.core.notify.channels.addresses import is_loopback, is_public
from app.core.process.network import certificate_problem, outbound_transport
from app.core.process.redaction import RedactingFilter, redact

Resolve = Callable[[str, int], Awaitable[list[str]]]
"""Returns the IP addresses of a host."""

REQUEST_TIMEOUT = httpx.Timeout(15.0, connect=10.0, pool=None)
"""Seconds. Standard Webhooks recommends a timeout of 15 to 30 s for a response."""

_LIMITS = httpx.Limits(max_connections=10, keepalive_expiry=30.0)

_httpx_filter = RedactingFilter()


class AddressRefused(KidneyGeneticsError):
    """None of the addresses of a host is allowed."""


FAILURES = (TimeoutError, httpx.HTTPError, httpx.InvalidURL, AddressRefused)
"""The errors with which a request with a timeout can fail."""


def explain(error: Exception, url: str) -> str:
    """Describe why a request failed, without the part of its address after the host, a secret.

    Args:
        error: one of :data:`FAILURES`.
        url: the address.
    """
    host = urlsplit(url).hostname or ""
    if isinstance(error, TimeoutError | httpx.TimeoutException):
        return f"{host} did not answer in time"
    if (problem := certificate_problem(error, host)) is not None:
        return problem
    path = url.partition("://")[2].partition("/")[2]
    reason = redact(str(error), (url, path)) or type(error).__name__
    return reason if host in reason else f"{host}: {reason}"


async def resolve(host: str, port: int) -> list[str]:
    """Return the IP addresses of a host, in order of preference.

    Raises:
        OSError: the name cannot be resolved.
    """
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def allowed(addresses: list[str], *, encrypted: bool, allow_private: bool) -> list[str]:
    """Return the addresses that connections may use.

    Args:
        addresses: the addresses of one host.
        encrypted: whether TLS is used. Without TLS, only loopback addresses are allowed.
        allow_private: whether addresses outside of the public internet are allowed.
    """
    if not encrypted:
        addresses = [address for address in addresses if is_loopback(address)]
    return addresses if allow_private else [address for address in addresses if is_public(address)]


class CheckedTransport(httpx.AsyncBaseTransport):
    """Resolves the host of each request, checks its addresses, and connects to one of them.

    The name is resolved once, and the connection goes to a checked address. So a name server that
    returns another address the next time (DNS rebinding) gains nothing. TLS still verifies the
    certificate against the name.

    Args:
        inner: makes the connections.
        allow_private: whether addresses outside of the public internet are allowed.
        resolver: returns the addresses of a host.
    """

    def __init__(
        self,
        inner: httpx.AsyncBaseTransport,
        *,
        allow_private: bool,
        resolver: Resolve = resolve,
    ) -> None:
        self._inner = inner
        self._allow_private = allow_private
        self._resolve = resolver

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, see :class:`httpx.AsyncBaseTransport`.

        Raises:
            AddressRefused: no address of the host is allowed.
            httpx.ConnectError: no address of the host accepts a connection.
        """
        encrypted = request.url.scheme == "https"
        host, port = request.url.host, request.url.port or (443 if encrypted else 80)
        try:
            found = await self._resolve(host, port)
        except OSError as error:
            raise httpx.ConnectError(f"the name {host} cannot be resolved: {error}") from error
        usable = allowed(found, encrypted=encrypted, allow_private=self._allow_private)
        if not usable:
            raise AddressRefused(
                f"{host} is not in the public internet; NOTIFY_ALLOW_PRIVATE=True allows it"
            )
        for address in usable[:-1]:
            try:
                return await self._inner.handle_async_request(_to(request, address))
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue
        return await self._inner.handle_async_request(_to(request, usable[-1]))

    async def aclose(self) -> None:
        """Close all connections."""
        await self._inner.aclose()


def _to(request: httpx.Request, address: str) -> httpx.Request:
    return httpx.Request(
        request.method,
        request.url.copy_with(host=address),
        headers=request.headers,  # with the name as Host
        stream=request.stream,
        extensions=request.extensions | {"sni_hostname": request.url.host},
    )


def new_client(*, allow_private: bool, resolver: Resolve = resolve) -> httpx.AsyncClient:
    """Return a client for user-configured addresses, which the caller must close.

    It follows no redirects, because their targets are not checked. If the environment names a
    proxy, the proxy resolves the names.

    Args:
        allow_private: whether addresses outside of the public internet are allowed.
        resolver: returns the addresses of a host.

    Raises:
        UserError: the environment names a proxy, or certificates, that cannot be used.
    """
    logging.getLogger("httpx").addFilter(_httpx_filter)
    return httpx.AsyncClient(
        headers={"User-Agent": f"kidney-genetics/{__version__}"},
        timeout=REQUEST_TIMEOUT,
        transport=outbound_transport(
            _LIMITS,
            lambda direct: CheckedTransport(direct, allow_private=allow_private, resolver=resolver),
        ),
        trust_env=False,
        follow_redirects=False,
    )
