"""Clients that read from the API, each over its own persistent connection."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median, quantiles
from urllib.parse import urlsplit

PAUSE = 1.0
"""Seconds between two reads of a client."""

BUFFER = 64 * 1024**2
"""The receive buffer of a client in bytes. A smaller one would often pause reading."""


@dataclass
class Reads:
    """The latencies and errors of clients.

    Attributes:
        seconds: the duration of each read, in seconds.
        errors: the errors.
    """

    seconds: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    @property
    def median(self) -> float:
        """The median latency in seconds."""
        return median(self.seconds)

    @property
    def p99(self) -> float:
        """The 99th percentile of the latency in seconds."""
        return quantiles(self.seconds, n=100)[-1]


class Client:
    """One connection to the API.

    It implements only the part of HTTP that the API uses, so that clients take little processor
    time from the measured servers on the same machine.
    """

    def __init__(self, address: str, headers: Mapping[str, str] | None = None) -> None:
        self._host = urlsplit(address).hostname or ""
        self._port = urlsplit(address).port or 80
        self._headers = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
        """Return the status and the body of an answer.

        Raises:
            OSError, EOFError: the connection failed.
        """
        reader, headers = await self._begin(method, path, body)
        lengths = [header for header in headers if header.lower().startswith("content-length:")]
        length = int(lengths[0].partition(":")[2])
        return int(headers[0].split()[1]), await reader.readexactly(length)

    async def stream(self, path: str) -> AsyncIterator[bytes]:
        """Yield the lines of an endless response.

        Raises:
            OSError, EOFError: the connection failed, or the answer ended.
        """
        reader, headers = await self._begin("GET", path, b"")
        if " 200 " not in headers[0]:
            raise EOFError(headers[0])
        while True:
            yield await reader.readuntil(b"\n")

    async def _begin(
        self, method: str, path: str, body: bytes
    ) -> tuple[asyncio.StreamReader, list[str]]:
        """Send a request, and return the header lines of the response."""
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._host, self._port, limit=BUFFER)
        reader, writer = self._streams
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: {self._host}:{self._port}\r\n{self._headers}"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        writer.write(head.encode() + body)
        return reader, (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")

    def close(self) -> None:
        """Close the connection."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


async def read_for(address: str, paths: Sequence[str], *, clients: int, seconds: float) -> Reads:
    """Let clients read paths in turn, with a pause after each response.

    Args:
        address: the address of the API.
        paths: the paths to read. Each client starts with another one.
        clients: the number of clients.
        seconds: the duration.
    """
    found = Reads()
    end = time.monotonic() + seconds

    async def read(number: int) -> None:
        client = Client(address)
        # spreads the first requests
        await asyncio.sleep(PAUSE * number / clients)
        first = number * len(paths) // clients
        for path in itertools.cycle([*paths[first:], *paths[:first]]):
            if time.monotonic() > end:
                break
            began = time.monotonic()
            try:
                status, _ = await client.ask("GET", path)
            except (OSError, EOFError) as error:
                found.errors.append(repr(error))
                client.close()
            else:
                found.seconds.append(time.monotonic() - began)
                if status != 200:  # noqa: PLR2004 - HTTP's OK
                    found.errors.append(str(status))
            await asyncio.sleep(PAUSE)
        client.close()

    async with asyncio.TaskGroup() as group:
        for number in range(clients):
            group.create_task(read(number))
    return found
