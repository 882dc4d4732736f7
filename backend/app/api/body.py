from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.errors import refuse

LARGEST_BODY = 64 * 1024
"""Bytes. The largest sensible request is a few hundred."""

_TOO_LARGE = f"the body is larger than {LARGEST_BODY} bytes"


class BodyLimit:
    """Refuses a body that is too large, whether its length is declared or it comes in chunks.

    Starlette's own limit (``starlette/middleware/body_limit.py``, 1.10) answers in plain text
    where the length is declared; here every error is JSON.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        if declared.isdigit() and int(declared[:20]) > LARGEST_BODY:
            await refuse(413, _TOO_LARGE)(scope, receive, send)
            return
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > LARGEST_BODY:
                raise HTTPException(413, _TOO_LARGE)
            return message

        await self._app(scope, counted, send)
