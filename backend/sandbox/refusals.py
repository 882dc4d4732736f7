"""What the services say when they refuse or fail, in their own words."""

import gzip
import json
from collections.abc import Callable

from sandbox.call import Call, Reply
from sandbox.limits import Verdict

#: How long NCBI asks to wait, in seconds (as recorded).
_NCBI_WAIT = 2

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


def rate_headers(budget: str, verdict: Verdict) -> dict[str, str]:
    """The X-RateLimit headers of any answer."""
    if verdict.limit is None:
        return {}
    if budget == "ensembl":
        # Ensembl counts by the hour in these headers: 55,000 (its wiki, "Rate Limits").
        return {
            "X-RateLimit-Limit": "55000",
            "X-RateLimit-Remaining": str(50_000 + verdict.remaining),
            "X-RateLimit-Reset": "1800",
            "X-RateLimit-Period": "3600",
        }
    if budget == "hgnc":
        return {}
    return {
        "X-RateLimit-Limit": f"{verdict.limit:g}",
        "X-RateLimit-Remaining": str(verdict.remaining),
    }


def too_many(budget: str, verdict: Verdict, client: str, seconds: float | None = None) -> Reply:
    """A 429; `seconds` overrides how long the client is asked to wait."""
    limit = f"{verdict.limit or 3:g}"
    headers = rate_headers(budget, verdict)
    if budget.startswith("ncbi"):
        body = {
            "error": "API rate limit exceeded",
            "api-key": client,
            "count": str(int(verdict.limit or 3) + 1),
            "limit": limit,
        }
        wait = f"{_NCBI_WAIT if seconds is None else seconds:g}"
        return Reply(json.dumps(body).encode(), 429, headers={**headers, "Retry-After": wait})
    wait = f"{verdict.wait if seconds is None else seconds:.6f}"
    if budget == "ensembl":
        text = b'{"error":"You have exceeded the limit of requests per second; wait and retry"}'
        return Reply(text, 429, headers={**headers, "Retry-After": wait})
    return Reply(b"Too Many Requests\n", 429, "text/plain", {**headers, "Retry-After": wait})


def bomb() -> Reply:
    """Some hundred bytes that three decompressions turn into 64 MB."""
    body = bytes(64 * 1024**2)
    for _ in range(3):
        body = gzip.compress(body, 1)
    return Reply(body, headers={"Content-Encoding": "gzip, gzip, gzip"})


def _login() -> Reply:
    asks = {"Proxy-Authenticate": 'Basic realm="the network"'}
    return Reply(_LOGIN, 407, "text/html", asks)


# what does not depend on what was asked for
_ALIKE: dict[str, Callable[[], Reply]] = {
    "407": _login,
    "bomb": bomb,
    "empty": lambda: Reply(b""),
}


def failure(kind: str, call: Call, client: str, seconds: float | None) -> Reply:
    """The answer of a fault that takes an answer's place."""
    if kind in _ALIKE:
        return _ALIKE[kind]()
    if kind == "503":
        headers = {} if seconds is None else {"Retry-After": f"{seconds:g}"}
        return Reply(_UNAVAILABLE, 503, "text/html", headers)
    service, _, name = call.endpoint.partition(".")
    if kind == "html" or name not in _ERROR_BODIES:
        return Reply(_HTML, 500 if kind == "500" else 200, "text/html")
    if kind == "500":
        if service == "clinvar":
            body = {
                "error": "error forwarding request",
                "api-key": client,
                "type": "ip",
                "status": "ok",
            }
            return Reply(json.dumps(body).encode(), 500)
        return Reply(b'{"error":"internal server error"}', 500)
    return Reply(_ERROR_BODIES[name])


# HTTP 200 all the same; esearch's has a raw newline in it, as the service's has.
_ERROR_BODIES = {
    "esearch": (
        b'{"header":{"type":"esearch","version":"0.3"},"esearchresult":{"ERROR":'
        b"\"Search Backend failed: Exception:\n'the backend' cannot be reached\"}}"
    ),
    "esummary": (
        b'{"header":{"type":"esummary","version":"0.3"},"esummaryresult":["NCBI C++ Exception:'
        b' Error: TXCLIENT(CException::eUnknown) Read failed: EOF"]}'
    ),
    "einfo": b'{"header":{"type":"einfo","version":"0.3"},"einforesult":{"ERROR":"Read failed"}}',
    "lookup": b'{"error":"something bad has happened"}',
    "lookup.id": b'{"error":"something bad has happened"}',
    "lookup_symbol": b'{"error":"something bad has happened"}',
    "info": b'{"error":"something bad has happened"}',
    "fetch": b'{"responseHeader":{"status":500,"QTime":2},"error":{"msg":"no servers","code":500}}',
}
