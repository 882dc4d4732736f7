"""Checks tokens. The check depends on the path and not on the route, so no route can be missed."""

import hmac
from collections.abc import Iterable

from fastapi.responses import JSONResponse
from pydantic import SecretStr
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.errors import refuse

API_PREFIX = "/api/"

ADMIN_PREFIX = "/api/admin"


class AdminOnly:
    """Requires the admin token for every path below ``/api/admin``.

    The token is checked before the body is read.

    Args:
        app: the protected application.
        token: the admin token; with None, these paths answer 503.
    """

    def __init__(self, app: ASGIApp, token: SecretStr | None) -> None:
        self._app = app
        self._token = None if token is None else token.get_secret_value().encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if not is_below(ADMIN_PREFIX, scope):
            await self._app(scope, receive, send)
        elif self._token is None:
            answer = refuse(
                503,
                "no admin token is configured, so the calls below /api/admin are disabled",
                remedy="set ADMIN_TOKEN and restart the API",
            )
            await answer(scope, receive, send)
        elif (problem := _problem(scope, [self._token])) is not None:
            answer = _unauthorized(f"the admin token is {problem}", "ADMIN_TOKEN")
            await answer(scope, receive, send)
        else:
            await self._app(scope, receive, send)


class ReadersOnly:
    """Requires a bearer token for every other path below ``/api``, if a read token is configured.

    Args:
        app: the protected application.
        token: the read token; with None, reading needs no token.
        others: further tokens that permit reading.
    """

    def __init__(
        self, app: ASGIApp, token: SecretStr | None, others: Iterable[SecretStr | None] = ()
    ) -> None:
        self._app = app
        allowed = [] if token is None else [token, *others]
        self._tokens = [token.get_secret_value().encode() for token in allowed if token is not None]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if not self._tokens or not is_read(scope):
            await self._app(scope, receive, send)
        elif (problem := _problem(scope, self._tokens)) is not None:
            answer = _unauthorized(f"the read token is {problem}", "READ_TOKEN")
            await answer(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def is_read(scope: Scope) -> bool:
    """Return whether a request's path is below ``/api``, but not below ``/api/admin``."""
    return is_below(API_PREFIX, scope) and not is_below(ADMIN_PREFIX, scope)


def is_below(prefix: str, scope: Scope) -> bool:
    """Return whether a request's path contains a prefix of this application.

    A server may be configured to add another prefix to every path, so the prefix of this
    application need not be at the beginning.
    """
    return scope["type"] != "lifespan" and prefix in scope["path"]


def _problem(scope: Scope, tokens: Iterable[bytes]) -> str | None:
    """Return the problem of a request's token: missing or wrong; None if it is accepted."""
    found = _bearer(scope)
    if found is None:
        return "missing"
    return None if any(hmac.compare_digest(found, token) for token in tokens) else "wrong"


def _unauthorized(error: str, setting: str) -> JSONResponse:
    return refuse(
        401,
        error,
        allowed=f"Authorization: Bearer <{setting}>",
        headers={"WWW-Authenticate": "Bearer"},
    )


def _bearer(scope: Scope) -> bytes | None:
    values = [value for name, value in scope["headers"] if name == b"authorization"]
    if len(values) != 1:
        return None
    scheme, _, token = values[0].partition(b" ")
    token = token.strip()
    return token if token and scheme.lower() == b"bearer" else None
