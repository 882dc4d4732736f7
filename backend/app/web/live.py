"""Streams parts of pages to browsers whenever the parts change."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from fastapi import Request
from fastapi.sse import ServerSentEvent

from app.api.head_requests import IS_HEAD
from app.core.errors import NotFound
from app.core.postgres.unavailable import is_unavailable
from app.core.process import cancelling
from app.web.rendering import render

logger = logging.getLogger(__name__)

LOOK_INTERVAL = 0.5
"""Seconds between two polls of the database while a browser watches."""

STOP_TIMEOUT = 5.0

MAX_PARTS = 100
"""Maximum number of watched parts. One poll of all of them takes about a second."""

Render = Callable[[], Awaitable[str]]
"""Reads the database and returns a rendered part of a page."""


@dataclass(eq=False, slots=True)
class _Watched:
    """A part of a page that at least one browser watches.

    Attributes:
        text: the rendered text; None before the first rendering.
        failed: the kind of the last poll's error, which is logged once.
        gone: whether the shown object no longer exists.
    """

    render: Render
    watchers: int = 0
    text: str | None = None
    failed: str = ""
    gone: bool = False
    changed: asyncio.Event = field(default_factory=asyncio.Event)


class Live:
    """Renders each part once for all browsers that watch it.

    The database is polled only while a browser watches.

    Args:
        interval: the seconds between two polls.
    """

    def __init__(self, interval: float = LOOK_INTERVAL) -> None:
        self._interval = interval
        self._watched: dict[str, _Watched] = {}
        self._polling: asyncio.Task[None] | None = None
        self._stopped = False

    async def watch(self, key: str, render: Render) -> AsyncIterator[str]:
        """Yield a part of a page, and again whenever it changes.

        The stream ends on :meth:`stop`, or when the shown object no longer exists. It ends
        immediately if too many parts are watched; a browser then retries with increasing delays.

        Args:
            key: identifies the part. Streams with the same key get the same text.
            render: the function that reads and renders the part.
        """
        if key not in self._watched and len(self._watched) >= MAX_PARTS:
            return
        watched = self._watched.setdefault(key, _Watched(render))
        watched.watchers += 1
        try:
            self._begin()
            seen: str | None = None
            while not self._stopped and not watched.gone:
                changed = watched.changed
                if watched.text is not None and watched.text != seen:
                    seen = watched.text
                    yield seen
                else:
                    await changed.wait()
        finally:
            watched.watchers -= 1
            if not watched.watchers:
                del self._watched[key]

    def stop(self) -> None:
        """End all streams, so that the server need not wait for them when it stops."""
        self._stopped = True
        for watched in self._watched.values():
            watched.changed.set()

    async def close(self) -> None:
        """Stop, and wait for the end of polling."""
        self.stop()
        if self._polling is not None:
            await cancelling.end(self._polling, within=STOP_TIMEOUT)

    def _begin(self) -> None:
        if not self._stopped and (self._polling is None or self._polling.done()):
            self._polling = asyncio.create_task(self._poll(), name="live pages")

    async def _poll(self) -> None:
        while self._watched and not self._stopped:
            for watched in list(self._watched.values()):
                await self._poll_part(watched)
            await asyncio.sleep(self._interval)

    async def _poll_part(self, watched: _Watched) -> None:
        try:
            text = await watched.render()
        except NotFound:
            watched.gone = True
            watched.changed.set()
            return
        except Exception as error:
            # the last text stays, and the next poll may succeed
            if (kind := type(error).__name__) == watched.failed:
                return
            watched.failed = kind
            if is_unavailable(error):
                logger.warning(
                    "live pages wait for the next poll, PostgreSQL is unavailable: %s",
                    error,
                )
            else:
                logger.exception("a live page could not be rendered")
            return
        watched.failed = ""
        if text != watched.text:
            watched.text = text
            watched.changed.set()
            watched.changed = asyncio.Event()


async def live_events(
    request: Request, template: str, read: Callable[[], Awaitable[dict[str, Any]]]
) -> AsyncIterator[ServerSentEvent]:
    """Yield the events of a stream that keeps a part of a page up to date.

    Args:
        request: the request for the stream. Clients with the same role and URL get the same text.
        template: the template of the part.
        read: the function that reads the values of the template.
    """

    async def show() -> str:
        return render(request, template, **await read())

    if IS_HEAD in request.scope:
        return
    live: Live = request.app.state.live
    key = f"{request.scope['session']} {request.url.path}?{request.url.query}"
    async for text in live.watch(key, show):
        yield ServerSentEvent(raw_data=text)
