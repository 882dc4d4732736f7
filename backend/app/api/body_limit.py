from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.errors import refuse

MAX_BODY = 64 * 1024
"""Bytes. The largest sensible request has a few hundred."""

_TOO_LARGE = f"the body is larger than {MAX_BODY} bytes"


class BodyLimit:
    """Refuses a body that is too large, whether its length is declared or it arrives in chunks.

    Starlette has a limit of its own (``starlette/middleware/body_limit.py``, 1.10). It answers in
    plain text if the length is declared, and all errors of this API are JSON.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        if declared.isdigit() and int(declared[:20]) > MAX_BODY:
            await refuse(413, _TOO_LARGE)(scope, receive, send)
            return
        received = 0

        async def receive_counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > MAX_BODY:
                raise HTTPException(413, _TOO_LARGE)
            return message

        await self._app(scope, receive_counted, send)
