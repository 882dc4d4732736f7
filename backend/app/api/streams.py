"""Answers that are sent while they are read from the database."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine
from contextlib import AsyncExitStack
from typing import Any, TypeVar

from fastapi import HTTPException, Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from app.api.errors import Busy
from app.core.process import cancelling

T = TypeVar("T")

CLIENT_LEFT = 499
"""nginx's status for it. Nobody reads the answer."""

MAX_STREAMS = 4
"""Streams at a time. Clients who read slowly leave most connections to others."""

VARY = {"Vary": "Accept"}
"""Of answers whose format may be chosen by `Accept`."""

CANCEL_TIMEOUT = 10.0
"""Seconds that the work for a client that has gone has to end."""


class StreamSlots:
    """Counts the streams of this process."""

    def __init__(self) -> None:
        self._taken = 0

    def __enter__(self) -> None:
        """Take a slot.

        Raises:
            Busy: all are taken.
        """
        if self._taken >= MAX_STREAMS:
            raise Busy(f"{MAX_STREAMS} answers are being streamed")
        self._taken += 1

    def __exit__(self, *_: object) -> None:
        """Give the slot back."""
        self._taken -= 1


async def while_connected(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """Do the work of a request, and cancel it when the client leaves.

    Raises:
        HTTPException: the client has left.
    """
    working = await _until_left(request.receive, work)
    if working.cancelled():
        raise HTTPException(CLIENT_LEFT, "the client has left")
    return working.result()


async def send_while_connected(receive: Receive, sending: Coroutine[Any, Any, None]) -> None:
    """Send the parts of an answer, and stop at once when the client leaves."""
    sent = await _until_left(receive, sending)
    if not sent.cancelled():
        sent.result()


async def _until_left(receive: Receive, work: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
    """Do work until it is done or the client leaves. In the latter case it is cancelled."""
    working = asyncio.create_task(work)
    leaving = asyncio.create_task(_leaves(receive))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await cancelling.end(leaving, within=CANCEL_TIMEOUT)
        await cancelling.end(working, within=CANCEL_TIMEOUT)
    return working


async def _leaves(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def stream_response(
    request: Request, parts: AsyncGenerator[bytes, None], stack: AsyncExitStack, *, media_type: str
) -> Response:
    """Return an answer that is streamed, once its first part is there.

    Until then nothing has been sent, so that an error is answered like every other error. If the
    client disconnects, the work ends at once, with its query. An error after the first part ends
    the connection, so that the client sees that the answer is incomplete.

    Args:
        request: that is answered.
        parts: of the body.
        stack: what the answer holds until its end, such as a connection.
        media_type: of the body.
    """
    try:
        first = await while_connected(request, _first(parts))
    except BaseException:
        await parts.aclose()
        raise
    return _Stream(first, parts, stack.pop_all(), media_type)


class _Stream(StreamingResponse):
    def __init__(
        self,
        first: bytes,
        parts: AsyncGenerator[bytes, None],
        stack: AsyncExitStack,
        media_type: str,
    ) -> None:
        self._parts = parts
        self._stack = stack
        super().__init__(_chained(first, parts), media_type=media_type, headers=VARY)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI. Starlette would cancel the work again and again while it cleans up."""
        del scope
        async with self._stack:
            try:
                await send_while_connected(receive, self.stream_response(send))
            finally:
                await self._parts.aclose()


async def _first(parts: AsyncIterator[bytes]) -> bytes:
    return await anext(parts, b"")


async def _chained(first: bytes, parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for part in parts:
        yield part
