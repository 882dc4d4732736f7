"""Demands tokens. The address decides and not the route, so that no route can be forgotten."""

import hmac
from collections.abc import Iterable

from fastapi.responses import JSONResponse
from pydantic import SecretStr
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.errors import refuse

API_PREFIX = "/api/"

ADMIN_PREFIX = "/api/admin"


class AdminOnly:
    """Demands the bearer token for every address below ``/api/admin``.

    The token is checked before the body is read.

    Args:
        app: the application that is protected.
        token: the admin token; with None, these addresses answer 503.
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
                "no admin token is configured, so these addresses are closed",
                remedy="set ADMIN_TOKEN and restart the API",
            )
            await answer(scope, receive, send)
        elif (problem := _problem(scope, [self._token])) is not None:
            answer = _unauthorized(f"the admin token is {problem}", "ADMIN_TOKEN")
            await answer(scope, receive, send)
        else:
            await self._app(scope, receive, send)


class ReadersOnly:
    """Demands a bearer token for every other address below ``/api``, if a read token is set.

    Args:
        app: the application that is protected.
        token: the read token; with None, everybody may read.
        others: further tokens with which one may read.
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
            answer = _unauthorized(f"the token for reading is {problem}", "READ_TOKEN")
            await answer(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def is_read(scope: Scope) -> bool:
    """Tell whether a request is for an address below ``/api`` that is not for the operators."""
    return is_below(API_PREFIX, scope) and not is_below(ADMIN_PREFIX, scope)


def is_below(prefix: str, scope: Scope) -> bool:
    """Tell whether a request is for an address below a prefix.

    A server may be configured to put another prefix before every path. So the prefix of this
    application may stand anywhere.
    """
    return scope["type"] != "lifespan" and prefix in scope["path"]


def _problem(scope: Scope, tokens: Iterable[bytes]) -> str | None:
    """Return what is wrong with the token of a request; None if it is one of these."""
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
