import asyncio
from threading import Thread
from typing import Self

from tests.integration.api.proxy import Proxy


class SilentProxy(Proxy):
    """A proxy in its own thread that can fall silent, like the network to a lost host.

    While it is silent, connections stay open, but neither data nor the end of a connection gets
    through. Data sent meanwhile arrives afterwards.
    """

    def __init__(self, dsn: str) -> None:
        super().__init__(dsn)
        self._loop = asyncio.new_event_loop()
        self._speaking = asyncio.Event()
        self._speaking.set()
        self._thread = Thread(target=self._loop.run_forever, daemon=True)

    def fall_silent(self) -> None:
        self._loop.call_soon_threadsafe(self._speaking.clear)

    def speak(self) -> None:
        self._loop.call_soon_threadsafe(self._speaking.set)

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self.open(), self._loop).result()
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self.cut(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._speaking.wait()
        await super()._serve(reader, writer)

    async def _pipe(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65_536):
                await self._speaking.wait()
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        await self._speaking.wait()
        writer.close()
