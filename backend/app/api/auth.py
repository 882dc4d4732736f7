import hmac

from pydantic import SecretStr
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.errors import refuse

ADMIN = "/api/admin"


class AdminOnly:
    """Lets nobody below ``/api/admin`` without the bearer token.

    It judges by the address and not by the route, so that nothing there is forgotten, and before
    the body is read.

    Args:
        app: what it guards.
        token: the one that is right; None closes these addresses altogether.
    """

    def __init__(self, app: ASGIApp, token: SecretStr | None) -> None:
        self._app = app
        self._token = None if token is None else token.get_secret_value().encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        # "in", as a server may be told to put a prefix before every path
        if scope["type"] == "lifespan" or ADMIN not in scope["path"]:
            await self._app(scope, receive, send)
        elif self._token is None:
            answer = refuse(
                503,
                "no admin token is configured, so these addresses are closed",
                remedy="set ADMIN_TOKEN and start the API again",
            )
            await answer(scope, receive, send)
        elif (found := _bearer(scope)) is None or not hmac.compare_digest(found, self._token):
            answer = refuse(
                401,
                "the admin token is missing" if found is None else "the admin token is wrong",
                allowed="Authorization: Bearer <ADMIN_TOKEN>",
                headers={"WWW-Authenticate": "Bearer"},
            )
            await answer(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def _bearer(scope: Scope) -> bytes | None:
    values = [value for name, value in scope["headers"] if name == b"authorization"]
    if len(values) != 1:
        return None
    scheme, _, token = values[0].partition(b" ")
    token = token.strip()
    return token if token and scheme.lower() == b"bearer" else None
