"""The answers of faults that replace the real answer of any service."""

import gzip
from collections.abc import Callable

from sandbox.call import Reply
from sandbox.service import Endpoint, Service

_HTML = (
    b"<!DOCTYPE html>\n<html><head><title>Error</title></head>"
    b"<body><h1>An error occurred while processing your request.</h1></body></html>\n"
)
_LOGIN = (
    b"<html><head><title>407 Proxy Authentication Required</title></head>"
    b"<body><h1>The proxy wants to know who you are.</h1></body></html>\n"
)
_UNAVAILABLE = (
    b"<html><head><title>503 Service Unavailable</title></head>"
    b"<body><h1>Service Unavailable</h1></body></html>\n"
)


def bomb() -> Reply:
    """Return a body of a few hundred bytes that decompresses in three steps to 64 MB."""
    body = bytes(64 * 1024**2)
    for _ in range(3):
        body = gzip.compress(body, 1)
    return Reply(body, headers={"Content-Encoding": "gzip, gzip, gzip"})


def _login() -> Reply:
    asks = {"Proxy-Authenticate": 'Basic realm="the network"'}
    return Reply(_LOGIN, 407, "text/html", asks)


# answers that do not depend on the request
_ALIKE: dict[str, Callable[[], Reply]] = {
    "407": _login,
    "bomb": bomb,
    "empty": lambda: Reply(b""),
}


def failure(
    kind: str, service: Service, endpoint: Endpoint | None, client: str, seconds: float | None
) -> Reply:
    """Return the answer of a fault that replaces the real answer.

    Args:
        kind: the kind of the fault.
        service: the service.
        endpoint: the endpoint; None for a file.
        client: the client.
        seconds: the duration of the fault, in seconds.
    """
    if kind in _ALIKE:
        return _ALIKE[kind]()
    if kind == "503":
        headers = {} if seconds is None else {"Retry-After": f"{seconds:g}"}
        return Reply(_UNAVAILABLE, 503, "text/html", headers)
    body = endpoint.error_body if endpoint is not None else None
    if kind == "html" or body is None:
        return Reply(_HTML, 500 if kind == "500" else 200, "text/html")
    return service.internal_error(client) if kind == "500" else Reply(body)
