from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.errors import refuse

MAX_BODY = 64 * 1024
"""Bytes. The largest sensible request has a few hundred bytes, except one that uploads a list."""


class BodyLimit:
    """Refuses a body that is too large, whether its length is declared or it arrives in chunks.

    Starlette has its own limit (``starlette/middleware/body_limit.py``, 1.10). But it answers in
    plain text if the length is declared, and all errors of this API are JSON.

    Args:
        app: the application.
        larger: larger limits in bytes, by the beginning of the path.
    """

    def __init__(self, app: ASGIApp, larger: Mapping[str, int] | None = None) -> None:
        self._app = app
        self._larger = {f"{path}/": limit for path, limit in (larger or {}).items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path: str = scope["path"]
        limit = next(
            (limit for start, limit in self._larger.items() if path.startswith(start)), MAX_BODY
        )
        too_large = f"the body is larger than {limit} bytes"
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        if declared.isdigit() and int(declared[:20]) > limit:
            await refuse(413, too_large)(scope, receive, send)
            return
        received = 0

        async def receive_counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                raise HTTPException(413, too_large)
            return message

        await self._app(scope, receive_counted, send)
