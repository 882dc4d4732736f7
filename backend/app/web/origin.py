"""Determines from a request's headers which page sent it, and over which connection."""

from urllib.parse import urlsplit

from starlette.requests import Request

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def is_from_these_pages(request: Request) -> bool:
    """Tell whether a page of this server, and no other site, sent a request.

    Browsers state it (``Sec-Fetch-Site``, Fetch Metadata, W3C); older ones, and those that reach
    this server without encryption, send only the ``Origin`` (Fetch standard, WHATWG).
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("origin")
    if origin is None:
        return False
    try:
        return urlsplit(origin).netloc == request.headers.get("host")
    except ValueError:  # not a valid address, such as `http://[`
        return False


def is_embedded_elsewhere(request: Request) -> bool:
    """Tell whether a page of another server embeds an address.

    Browsers send the cookie with resources that a page of the same site embeds, such as a page of
    another port or of another server of the domain. That page cannot read the response, but its
    image could start an export. A followed link loads a document of its own and is not embedded.
    """
    site = request.headers.get("sec-fetch-site", "none")
    if site in {"same-origin", "none"}:
        return False
    mode, destination = (request.headers.get(f"sec-fetch-{each}") for each in ("mode", "dest"))
    return mode not in {None, "navigate"} or destination not in {None, "document"}


def came_by_link(request: Request) -> bool:
    """Tell whether somebody followed a link on a page of another server."""
    return request.method == "GET" and request.headers.get("sec-fetch-site") == "cross-site"


def is_encrypted(request: Request) -> bool:
    """Tell whether the browser uses HTTPS, possibly as reported by a trusted proxy."""
    return request.url.scheme == "https"


def is_loopback(request: Request) -> bool:
    """Tell whether the browser runs on this machine, or at the other end of a tunnel to it."""
    return request.url.hostname in _LOOPBACK


def local_path(address: str) -> str | None:
    """Return an address if it leads to this server; None if it may lead to another one.

    Browsers read a backslash as a slash, and drop tabs and line breaks (URL standard, WHATWG).
    """
    if not address.startswith("/") or address.startswith(("//", "/\\")):
        return None
    return address if address.isprintable() and "\\" not in address else None
