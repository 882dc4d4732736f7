import asyncio
import contextlib

from pydantic import SecretStr
from sqlalchemy import make_url


class Proxy:
    """A proxy between an application and PostgreSQL that can break the connections."""

    def __init__(self, dsn: str) -> None:
        self._url = make_url(dsn)
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self.port = 0

    @property
    def dsn(self) -> SecretStr:
        """The address of the server through this proxy."""
        url = self._url.set(host="127.0.0.1", port=self.port)
        return SecretStr(url.render_as_string(hide_password=False))

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there = await asyncio.open_connection(self._url.host, self._url.port)
        self._writers |= {writer, there}
        await asyncio.gather(self._pipe(reader, there), self._pipe(there_reader, writer))
        self._writers -= {writer, there}

    async def _pipe(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
        writer.close()
