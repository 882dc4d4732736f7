import asyncio
import contextlib

from pydantic import SecretStr
from sqlalchemy import make_url

from harness.connections import ConnectionServer


class Proxy:
    """A proxy between an application and PostgreSQL that can break the connections."""

    def __init__(self, dsn: str) -> None:
        self._url = make_url(dsn)
        self._server = ConnectionServer(self._serve)
        self.port = 0

    @property
    def dsn(self) -> SecretStr:
        """The address of the server through this proxy."""
        url = self._url.set(host="127.0.0.1", port=self.port)
        return SecretStr(url.render_as_string(hide_password=False))

    async def open(self) -> None:
        self.port = await self._server.open(self.port)

    async def cut(self) -> None:
        await self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there = await asyncio.open_connection(self._url.host, self._url.port)
        try:
            await asyncio.gather(self._pipe(reader, there), self._pipe(there_reader, writer))
        finally:
            there.transport.abort()

    async def _pipe(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
        writer.close()
