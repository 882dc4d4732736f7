"""Outbound connections: the proxies and certificate authorities in the environment.

httpx reads the same variables when it creates a client. But it fails at values that other programs
ignore, and its error does not name the variable (``httpx/_utils.py``). So this module reads them:
it refuses an unusable value with the name of its variable, and ignores harmless ones.
"""

import os
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from urllib.request import getproxies

import httpx

from app.core.errors import UserError

_PROXY_SCHEMES = ("http", "https", "all")
_MAX_PORT = 65_535
_ALLOWED = {
    "SSL_CERT_FILE": "a file of certificates (PEM) that can be read",
    "SSL_CERT_DIR": "a folder of certificates, made by `openssl rehash`",
    "SSLKEYLOGFILE": "a file that can be written",
}


@dataclass(frozen=True, slots=True)
class Exceptions:
    """The hosts in NO_PROXY, which are connected to directly.

    An entry is a host including its subdomains, an IP address, a network (``10.0.0.0/8``), or ``*``
    for everything. An entry with a port covers that port only. Other entries are ignored
    (https://curl.se/docs/manpage.html, "NO_PROXY").
    """

    everything: bool
    names: frozenset[tuple[str, int | None]]
    networks: frozenset[IPv4Network | IPv6Network]

    @classmethod
    def read(cls, text: str) -> "Exceptions":
        """Parse the value of NO_PROXY."""
        names: set[tuple[str, int | None]] = set()
        networks: set[IPv4Network | IPv6Network] = set()
        entries = [part.strip().lower().rpartition("://")[2] for part in text.split(",")]
        for entry in filter(None, entries):
            try:
                networks.add(ip_network(entry.strip("[]"), strict=False))
            except ValueError:
                host, _, port = entry.rpartition(":") if ":" in entry else (entry, "", "")
                number = int(port) if port.isascii() and port.isdecimal() else None
                names.add((host.strip("[]").strip("."), number))
        return cls("*" in entries, frozenset(names), frozenset(networks))

    def cover(self, url: httpx.URL) -> bool:
        """Return whether an address is connected to directly."""
        host = url.host.lower().rstrip(".")
        if self.everything:
            return True
        ports = {None, url.port or {"http": 80, "https": 443}.get(url.scheme)}
        parts = host.split(".")
        above = {".".join(parts[start:]) for start in range(len(parts))}
        if any((name, port) in self.names for name in above for port in ports):
            return True
        try:
            address = ip_address(host)
        except ValueError:
            return False
        return any(address in network for network in self.networks)


class Route(httpx.AsyncBaseTransport):
    """Sends each request directly, or through the proxy of its scheme.

    Args:
        direct: the transport without a proxy.
        proxies: the transports by scheme: ``http``, ``https`` and ``all``.
        exceptions: the hosts that are connected to directly in spite of a proxy.
    """

    def __init__(
        self,
        direct: httpx.AsyncBaseTransport,
        proxies: Mapping[str, httpx.AsyncBaseTransport],
        exceptions: Exceptions,
    ) -> None:
        self._direct = direct
        self._proxies = proxies
        self._exceptions = exceptions

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, see :class:`httpx.AsyncBaseTransport`."""
        via = self._proxies.get(request.url.scheme) or self._proxies.get("all")
        if via is None or self._exceptions.cover(request.url):
            via = self._direct
        return await via.handle_async_request(request)

    async def aclose(self) -> None:
        """Close all connections."""
        for client in (self._direct, *self._proxies.values()):
            await client.aclose()


def outbound_transport(
    limits: httpx.Limits,
    guarded: Callable[[httpx.AsyncBaseTransport], httpx.AsyncBaseTransport] = lambda direct: direct,
) -> Route:
    """Return the transport for requests to other hosts.

    Args:
        limits: the limits of direct connections, and of those through each proxy.
        guarded: wraps the transport of direct connections.

    Raises:
        UserError: a variable names a proxy, or a file of certificates, that cannot be used.
    """
    context = trusted_authorities()
    configured = getproxies()
    proxies = {scheme: configured[scheme] for scheme in _PROXY_SCHEMES if configured.get(scheme)}
    if {"http", "https"} <= proxies.keys():
        # no request would use the general proxy, so an unusable one must not be refused
        proxies.pop("all", None)
    return Route(
        guarded(httpx.AsyncHTTPTransport(verify=context, limits=limits)),
        {scheme: _proxy(scheme, url, context, limits) for scheme, url in proxies.items()},
        Exceptions.read(configured.get("no", "")),
    )


def goes_through_proxy(url: str) -> bool:
    """Return whether the environment names a proxy for requests to an address."""
    configured = getproxies()
    parsed = httpx.URL(url)
    proxy = configured.get(parsed.scheme) or configured.get("all")
    return bool(proxy) and not Exceptions.read(configured.get("no", "")).cover(parsed)


def _proxy(
    scheme: str, url: str, context: ssl.SSLContext, limits: httpx.Limits
) -> httpx.AsyncBaseTransport:
    url = url if "://" in url else f"http://{url}"
    why = _problem_of(url)
    if not why:
        return httpx.AsyncHTTPTransport(verify=context, limits=limits, proxy=url)
    name = _name_as_set(f"{scheme}_proxy")
    raise UserError(
        f"the proxy in {name} cannot be used: {why}",
        allowed=f"{name}=http://host:port, or https://; a password in it percent-encoded",
        remedy=f"correct {name}, or `unset {name}` where no proxy is needed",
    )


def _problem_of(url: str) -> str:
    """Describe the problem of a proxy's address, of which only the scheme is quoted, if any."""
    kind = url.partition("://")[0].lower()
    if kind not in {"http", "https"}:
        return f"its scheme is {kind if kind.isalnum() else 'not http or https'}"
    try:
        parts = httpx.Proxy(url).url
    except httpx.InvalidURL:
        return "it is not an address"
    if not parts.host or not 0 < (parts.port or 1) <= _MAX_PORT:
        return "its host or its port cannot be used"
    return ""


def _name_as_set(name: str) -> str:
    """Return the spelling in which a variable is set. urllib prefers lower case."""
    return name if os.environ.get(name) else name.upper()


def trusted_authorities() -> ssl.SSLContext:
    """Return an SSL context with the authorities of OpenSSL's variables, or else of certifi.

    Raises:
        UserError: a variable names a file of certificates that cannot be used.
    """
    file, folder = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    name, value = ("SSL_CERT_FILE", file) if file else ("SSL_CERT_DIR", folder)
    key_log = os.environ.get("SSLKEYLOGFILE")
    if not value:
        name, value = "SSLKEYLOGFILE", key_log
    try:
        return _context(file, folder, key_log)
    except OSError as error:
        if error.filename and error.filename == key_log:
            name, value = "SSLKEYLOGFILE", error.filename
        if not value:
            raise
        raise UserError(
            f"{name} cannot be used: {value}: {error.strerror or error}",
            allowed=_ALLOWED[name],
            remedy=f"correct {name}, or `unset {name}`",
        ) from error


def certificate_problem(error: BaseException, at: str) -> str | None:
    """Describe a refused certificate and the remedy; None if the error has another cause.

    Args:
        error: the error of a connection, or one that was raised from it.
        at: the server of the connection.
    """
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return (
                f"the certificate of {at} is refused: {cause.verify_message}; if your organization"
                " has an authority of its own, SSL_CERT_FILE names its file"
            )
        cause = cause.__cause__ or cause.__context__
    return None


@cache
def _context(file: str | None, folder: str | None, _key_log: str | None) -> ssl.SSLContext:
    """Read the certificates. The result is cached, because this takes 25 ms."""
    if file:
        return ssl.create_default_context(cafile=file)
    if folder:
        # OpenSSL reads the folder only when it verifies a certificate, and ignores a missing one
        os.scandir(folder).close()
        return ssl.create_default_context(capath=folder)
    return httpx.create_ssl_context(trust_env=False)
