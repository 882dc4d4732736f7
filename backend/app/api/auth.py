import hmac

from pydantic import SecretStr
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.errors import refuse

ADMIN_PREFIX = "/api/admin"


class AdminOnly:
    """Demands the bearer token for every address below ``/api/admin``.

    The address decides and not the route, so that no route can be forgotten. The token is checked
    before the body is read.

    Args:
        app: the application that is protected.
        token: the admin token; with None, these addresses answer 503.
    """

    def __init__(self, app: ASGIApp, token: SecretStr | None) -> None:
        self._app = app
        self._token = None if token is None else token.get_secret_value().encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        # "in" and not "startswith": a server may be configured to put a prefix before every path
        if scope["type"] == "lifespan" or ADMIN_PREFIX not in scope["path"]:
            await self._app(scope, receive, send)
        elif self._token is None:
            answer = refuse(
                503,
                "no admin token is configured, so these addresses are closed",
                remedy="set ADMIN_TOKEN and restart the API",
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
