import asyncio
import contextlib
import ssl
import threading
from abc import ABC, abstractmethod
from typing import Self

from harness.connections import serving

_TIMEOUT = 10.0
"""Seconds to wait until the thread of a server listens, or has ended."""

_LIMIT = 1 << 20
"""The maximum size of a message, in bytes."""


class Server(ABC):
    """Serves connections on a free loopback port, in a thread with its own event loop.

    Args:
        tls: serves TLS from the first byte of a connection; None means no TLS.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.port = 0
        self._tls = tls
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve_all()), daemon=True)
        self._listening = threading.Event()
        self._stopping = asyncio.Event()
        self.connections = 0
        """The number of accepted connections."""

    @abstractmethod
    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""

    async def _serve_all(self) -> None:
        self._loop = asyncio.get_running_loop()
        async with serving(self._serve_one, ssl=self._tls, backlog=1024, limit=_LIMIT) as self.port:
            self._listening.set()
            await self._stopping.wait()

    async def _serve_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with contextlib.suppress(
            ConnectionError, asyncio.IncompleteReadError, ssl.SSLError, EOFError
        ):
            await self.serve(reader, writer)

    def start(self) -> Self:
        """Start listening."""
        self._thread.start()
        self._listening.wait(_TIMEOUT)
        return self

    def close(self) -> None:
        """Stop listening, and end all connections."""
        if self._loop is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join(_TIMEOUT)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *error: object) -> None:
        self.close()
