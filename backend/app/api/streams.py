"""Streams responses while they are read from the database."""

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
"""nginx's status for a client that has disconnected, for the log. No client receives it."""

MAX_STREAMS = 4
"""The maximum number of concurrent streams, so that slow clients leave most connections to others.
"""

VARY = {"Vary": "Accept"}
"""A header of responses whose format depends on `Accept`."""

CANCEL_TIMEOUT = 10.0
"""Seconds that the work for a disconnected client has to end."""


class StreamSlots:
    """Counts the running streams of this process."""

    def __init__(self) -> None:
        self._taken = 0

    def __enter__(self) -> None:
        """Acquire a slot.

        Raises:
            Busy: all slots are in use.
        """
        if self._taken >= MAX_STREAMS:
            raise Busy(f"{MAX_STREAMS} responses are being streamed")
        self._taken += 1

    def __exit__(self, *_: object) -> None:
        """Release the slot."""
        self._taken -= 1


async def while_connected(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """Do the work of a request, and cancel it if the client disconnects.

    Raises:
        HTTPException: the client has disconnected.
    """
    working = await _until_left(request.receive, work)
    if working.cancelled():
        raise HTTPException(CLIENT_LEFT, "the client has disconnected")
    return working.result()


async def send_while_connected(receive: Receive, sending: Coroutine[Any, Any, None]) -> None:
    """Send the parts of a response, and stop at once if the client disconnects."""
    sent = await _until_left(receive, sending)
    if not sent.cancelled():
        sent.result()


async def _until_left(receive: Receive, work: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
    """Do some work, and cancel it if the client disconnects."""
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
    """Return a streamed response, as soon as its first part is available.

    Before the first part nothing is sent, so an error gets a normal error response. An error after
    it aborts the connection, so that the client detects an incomplete response. If the client
    disconnects, the work and its query end at once.

    Args:
        request: the request.
        parts: the parts of the body.
        stack: the resources to release at the end of the response, such as a connection.
        media_type: the media type of the body.
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
        """See ASGI. Starlette's own method would cancel the work repeatedly during its clean-up."""
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
