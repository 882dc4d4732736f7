"""Decides what an HTTP answer other than success means for the request."""

import math
import re
from collections.abc import Iterable
from http import HTTPStatus

import httpx

from app.annotation.upstream.errors import BadAnswer, UpstreamUnavailable
from app.annotation.upstream.retry import Trouble, TryAgain
from app.core.errors import UserError
from app.core.process.redaction import redact
from app.core.text.http_headers import retry_after
from app.core.text.printable import in_one_line

EXCERPT_BYTES = 4_096
"""Maximum number of bytes read from the body of a refusal."""

_MAX_EXCERPT_CHARS = 200
UNAVAILABLE_SECONDS = 60.0
"""Seconds before the next request to an unavailable service."""

_BLOCKED_SECONDS = 300.0
_DEFAULT_RETRY_AFTER = 1.0
_TRANSIENT = {
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.TOO_EARLY,
    HTTPStatus.TOO_MANY_REQUESTS,
}
_CALLER_BLOCKED = {
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.PROXY_AUTHENTICATION_REQUIRED,
    HTTPStatus.NETWORK_AUTHENTICATION_REQUIRED,
}
_PROXY_REFUSALS = ("401", "403", "407")
_PROXY_HINT = "see HTTPS_PROXY and the user and password in it"
_MAX_RETRY_AFTER_WAIT = 60.0
"""The longest ``Retry-After``, in seconds, that a request itself waits for. A longer one releases
the run."""


def excerpt(body: bytes, secrets: Iterable[str] = ()) -> str:
    """Return the start of a body in one redacted line, without its markup."""
    text = redact(body[:EXCERPT_BYTES].decode("utf-8", "replace"), secrets)
    text = re.sub(r"(?is)<(style|script).*?</\1>|<[^>]*>", " ", text)
    text = in_one_line(text)
    if len(text) > _MAX_EXCERPT_CHARS:
        text = text[:_MAX_EXCERPT_CHARS] + "…"
    return text or "nothing readable"


def failure(
    host: str,
    response: httpx.Response,
    body: bytes,
    secrets: Iterable[str],
    max_wait: float = math.inf,
) -> Exception:
    """Return the exception for an answer that reports a failure.

    A 403 means that the service blocks the client; the request itself may be valid. Ensembl sends
    it after "far too many requests", and halving the batch would only send more requests. 401, 407
    and 511 are handled the same way: they come from a proxy or network that requires a login.

    Args:
        host: the host's name.
        response: the response; its status and headers are used.
        body: the start of its body.
        secrets: texts to redact in the reason.
        max_wait: the upper limit of a ``Retry-After``, in seconds.
    """
    status = response.status_code
    shown = excerpt(body, secrets)
    reason = f"answered {status}: {shown}"
    asked = retry_after(response.headers.get("Retry-After"), max_wait)
    if status == HTTPStatus.BAD_REQUEST and "api key invalid" in shown.lower():
        return UserError(
            f"{host} rejected the API key",
            remedy=f"correct {host.upper()}_API_KEY in .env, or remove it",
        )
    if status in _CALLER_BLOCKED:
        if status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
            reason += f"; {_PROXY_HINT}"
        return UpstreamUnavailable(host, max(asked or 0, _BLOCKED_SECONDS), reason)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in _TRANSIENT:
        if asked is not None and asked > _MAX_RETRY_AFTER_WAIT:
            return UpstreamUnavailable(host, asked, reason)
        return _transient(host, status, reason, asked)
    if response.is_redirect:
        target = response.headers.get("Location", "an address that the answer does not name")
        target = redact(target.split("?")[0], secrets)[:_MAX_EXCERPT_CHARS]
        return UpstreamUnavailable(
            host, _BLOCKED_SECONDS, f"answered {status}: it redirects to {target}"
        )
    return BadAnswer(f"{host} {reason}")


def _transient(host: str, status: int, reason: str, asked: float | None) -> TryAgain:
    unavailable = UpstreamUnavailable(host, max(asked or 0, UNAVAILABLE_SECONDS), reason)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        delay = _DEFAULT_RETRY_AFTER if asked is None else asked
        return TryAgain(Trouble.REFUSED, reason, unavailable, delay)
    if status == HTTPStatus.INTERNAL_SERVER_ERROR:
        # the request itself may be the cause
        return TryAgain(Trouble.FAULT, reason, BadAnswer(f"{host} {reason}"))
    return TryAgain(Trouble.FAULT, reason, unavailable, asked)


def pause(failure: Exception, response: httpx.Response) -> float | None:
    """Return how many seconds all workers must pause; None if no pause is needed."""
    if response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
        if isinstance(failure, TryAgain):
            return failure.delay
        if isinstance(failure, UpstreamUnavailable):
            return failure.seconds
    return None


def unreachable(
    host: str, error: Exception, secrets: Iterable[str]
) -> TryAgain | UpstreamUnavailable:
    """Return the exception for a request that got no response or an incomplete one."""
    reason = redact(f"{type(error).__name__} {error}".strip(), secrets)
    # the proxy refused to open a tunnel
    if isinstance(error, httpx.ProxyError) and str(error).startswith(_PROXY_REFUSALS):
        return UpstreamUnavailable(host, _BLOCKED_SECONDS, f"{reason}; {_PROXY_HINT}")
    return TryAgain(Trouble.FAULT, reason, UpstreamUnavailable(host, UNAVAILABLE_SECONDS, reason))
