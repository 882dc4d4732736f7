"""TCP servers that end their connections when they close."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from services.process import LOOPBACK

_TURNS = 10
"""Iterations of the event loop in which accepted connections appear and aborted ones are closed."""

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def stop_accepting(server: asyncio.Server) -> None:
    """Let a server accept no more connections, and wait until those that it accepted are open.

    A server that closes in between loses the connection, whose socket stays open until garbage
    collection: https://github.com/python/cpython/issues/109564
    """
    for listening in server.sockets:
        asyncio.get_running_loop().remove_reader(listening)
    await asyncio.sleep(0)


class ConnectionServer:
    """Serves connections on the loopback interface, each in a task.

    A server of asyncio leaves its connections open when it closes, and before Python 3.13 it does
    not know them. Their sockets would stay open until garbage collection.

    Args:
        serve: serves one connection, which is closed afterwards.
    """

    def __init__(self, serve: Serve) -> None:
        self._serve = serve
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self, port: int = 0, **options: Any) -> int:
        """Listen on a port, by default a free one, and return it.

        Args:
            port: to listen on.
            options: of :func:`asyncio.start_server`.
        """
        self._server = await asyncio.start_server(self._connected, LOOPBACK, port, **options)
        actual: int = self._server.sockets[0].getsockname()[1]
        return actual

    async def close(self) -> None:
        """Stop listening, and end all connections."""
        if self._server is None:
            return
        server, self._server = self._server, None
        await stop_accepting(server)
        server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for _ in range(_TURNS):
            await asyncio.sleep(0)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._server is None:
            # accepted just before the server closed
            writer.transport.abort()
            return

        task = asyncio.create_task(self._serve_one(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        # also if the task was cancelled before it began
        task.add_done_callback(lambda _: writer.transport.abort())

    async def _serve_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._serve(reader, writer)
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


@contextlib.asynccontextmanager
async def serving(serve: Serve, port: int = 0, **options: Any) -> AsyncIterator[int]:
    """Serve connections during the block, and yield the port."""
    server = ConnectionServer(serve)
    try:
        yield await server.open(port, **options)
    finally:
        await server.close()
