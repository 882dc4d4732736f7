from starlette.types import ASGIApp, Message, Receive, Scope, Send

IS_HEAD = "kidney_genetics.head"
"""The key in the scope of a GET that marks a HEAD request, whose response has no body."""


class HeadRequests:
    """Supports HEAD for every path that supports GET, as HTTP requires (RFC 9110, section 9.3.2).

    FastAPI's routes answer HEAD with 405. This middleware executes a GET and omits the body.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def send_head(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        await self._app({**scope, "method": "GET", IS_HEAD: True}, receive, send_head)
