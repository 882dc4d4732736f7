"""Hosts on a network of their own, as namespaces of this kernel; only root can make them."""

import asyncio
import contextlib
import os
import shutil
import subprocess
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Thread
from urllib.parse import urlsplit, urlunsplit

import pytest

from harness.connections import stop_accepting


class Network:
    """Simulated hosts behind a switch, through which they reach some servers of this machine.

    Attributes:
        hosts: the names of the hosts. :meth:`on` runs a command on one of them.
    """

    def __init__(self, count: int) -> None:
        self._id = uuid.uuid4().hex[:6]
        # of the block for documentation (RFC 5737): nobody's own network is hidden by it
        self._net = "203.0.113"
        self._bridge = f"kg{self._id}"
        self.hosts = tuple(f"kg{self._id}-{number}" for number in range(1, count + 1))
        self._servers: list[asyncio.Server] = []
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, daemon=True)

    def build(self) -> None:
        _ip("link", "add", self._bridge, "type", "bridge")
        _ip("addr", "add", f"{self._net}.1/24", "dev", self._bridge)
        _ip("link", "set", self._bridge, "up")
        for number, host in enumerate(self.hosts, start=1):
            _ip("netns", "add", host)
            _ip(
                "link",
                "add",
                self._port(host),
                "type",
                "veth",
                "peer",
                "name",
                "eth0",
                "netns",
                host,
            )
            _ip("link", "set", self._port(host), "master", self._bridge, "up")
            _ip("-n", host, "addr", "add", f"{self._net}.{number + 1}/24", "dev", "eth0")
            _ip("-n", host, "link", "set", "eth0", "up")
            _ip("-n", host, "link", "set", "lo", "up")
        self._thread.start()

    def destroy(self) -> None:
        for host in self.hosts:
            _ip("netns", "del", host)
        _ip("link", "del", self._bridge)
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def on(self, host: str) -> tuple[str, ...]:
        """Return the prefix of a command that runs it on a host."""
        return ("ip", "netns", "exec", host)

    def cut_off(self, host: str) -> None:
        """Disconnect a host: connections stay open, but no packet gets through."""
        _ip("link", "set", self._port(host), "down")

    def plug_in(self, host: str) -> None:
        _ip("link", "set", self._port(host), "up")

    def open(self, url: str) -> str:
        """Let the hosts reach a server of this machine, and return the server's address there."""
        parts = urlsplit(url)
        assert parts.port is not None
        port = asyncio.run_coroutine_threadsafe(self._forward(parts.port), self._loop).result()
        login, at, _ = parts.netloc.rpartition("@")
        return urlunsplit(parts._replace(netloc=f"{login}{at}{self._net}.1:{port}"))

    def _port(self, host: str) -> str:
        return f"v{host}"

    async def _forward(self, target: int) -> int:
        async def serve(near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
            # asyncio reports a connection's task that was cancelled, as happens at the end
            with contextlib.suppress(asyncio.CancelledError):
                far, there = await asyncio.open_connection("127.0.0.1", target)
                await asyncio.gather(_pipe(near, there), _pipe(far, back))

        server = await asyncio.start_server(serve, f"{self._net}.1", 0)
        self._servers.append(server)
        port: int = server.sockets[0].getsockname()[1]
        return port

    async def _close(self) -> None:
        for server in self._servers:
            await stop_accepting(server)
            server.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        # an aborted transport closes its socket when the loop next comes round
        await asyncio.sleep(0)


@contextmanager
def network(count: int) -> Iterator[Network]:
    """Create hosts for the duration of the block, or skip the test if that is impossible."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        pytest.skip("network namespaces need root and ip (Debian: apt install iproute2)")
    made = Network(count)
    try:
        made.build()
    except subprocess.CalledProcessError as error:
        made.destroy()
        pytest.skip(f"no network namespaces here: {error.stderr.strip()}")
    try:
        yield made
    finally:
        made.destroy()


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
    finally:
        # at the end of a test nobody reads any more what a polite close would still send
        writer.transport.abort()


def _ip(*arguments: str) -> Sequence[str]:
    done = subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True)
    return done.stdout.splitlines()
