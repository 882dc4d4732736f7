"""Tells from the headers of a request which page sent it, and over which connection it came."""

from urllib.parse import urlsplit

from starlette.requests import Request

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def is_from_these_pages(request: Request) -> bool:
    """Tell whether a page of this server sent a request, and not a page of somebody else.

    Browsers state it (``Sec-Fetch-Site``, Fetch Metadata, W3C); older ones, and those that reach
    this server without encryption, send only the ``Origin`` (Fetch standard, WHATWG).
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("origin")
    return origin is not None and urlsplit(origin).netloc == request.headers.get("host")


def came_by_link(request: Request) -> bool:
    """Tell whether somebody followed a link on a page of another server."""
    return request.method == "GET" and request.headers.get("sec-fetch-site") == "cross-site"


def is_encrypted(request: Request) -> bool:
    """Tell whether the browser uses HTTPS; a trusted proxy may say so."""
    return request.url.scheme == "https"


def is_loopback(request: Request) -> bool:
    """Tell whether the browser runs on this machine, or at the other end of a tunnel to it."""
    return request.url.hostname in _LOOPBACK


def local_path(address: str) -> str | None:
    """Return an address if it leads to this server, and None if it may lead to another one.

    Browsers read a backslash as a slash, and drop tabs and line breaks (URL standard, WHATWG).
    """
    if not address.startswith("/") or address.startswith(("//", "/\\")):
        return None
    return address if address.isprintable() and "\\" not in address else None
