import asyncio
import socket
from threading import Thread
from types import TracebackType
from typing import Any, Self

import uvicorn

from sandbox import registry
from sandbox.app import Upstreams
from sandbox.catalogue import Catalogue
from sandbox.options import Options
from sandbox.service import Service
from sandbox.transports import Protocol

_LOOPBACK = "127.0.0.1"

_TURNS = 10
"""The number of turns that the event loop needs to close the sockets of aborted connections."""


class Sandbox:
    """The upstream services on a loopback port, served from a thread of this process.

    A sync and async context manager. It listens from its creation until the end of the context.

        with Sandbox(Options(genes=100, limits="off")) as sandbox:
            httpx.get(sandbox.settings["ENSEMBL_REST_URL"] + "/info/data")

    Args:
        options: the options; by default 5,000 genes with the real limits.
        port: the port; 0 picks a free one.

    Raises:
        OSError: the port is in use.
    """

    def __init__(self, options: Options | None = None, *, port: int = 0) -> None:
        self.options = options or Options()
        self._socket = _listen(port)
        self.port: int = self._socket.getsockname()[1]
        self.url = f"http://{_LOOPBACK}:{self.port}"
        try:
            self._upstreams = Upstreams(self.options)
        except BaseException:
            self._socket.close()
            raise
        self._server = _Server(
            uvicorn.Config(
                self._upstreams.app,
                http=Protocol,
                ws="none",
                loop="asyncio",
                lifespan="off",
                log_config=None,
                log_level="critical",
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=1,
            )
        )
        self._thread = Thread(target=self._serve, name=f"sandbox-{self.port}", daemon=True)

    def _serve(self) -> None:
        self._server.run(sockets=[self._socket])

    @property
    def catalogue(self) -> Catalogue:
        """The genes that are served."""
        return self._upstreams.catalogue

    @property
    def services(self) -> dict[str, Service]:
        """The imitated services, by name."""
        return self._upstreams.services

    @property
    def settings(self) -> dict[str, str]:
        """The settings that point the project here, by environment variable."""
        return registry.settings(self.url, self.options, len(self.catalogue.genes))

    def stats(self) -> dict[str, Any]:
        """Return the counts of requests and answers, like GET `/_sandbox/stats`."""
        return self._upstreams.stats.as_json()

    def fault(self, endpoint: str, kind: str, **more: Any) -> None:
        """Set a fault; see :class:`~sandbox.faults.Fault`.

        Raises:
            BadFault: the endpoint or kind is unknown, or a value is wrong.
        """
        self._upstreams.faults.add(self._upstreams.endpoints, endpoint=endpoint, kind=kind, **more)

    def faults(self) -> list[dict[str, Any]]:
        """Return the active faults with their counts."""
        return self._upstreams.faults.listed()

    def clear_faults(self) -> None:
        """Remove all faults."""
        self._upstreams.faults.clear()

    def reset(self) -> None:
        """Remove all faults and reset all counts."""
        self._upstreams.reset()

    def set_limits(self, **rates: float | None) -> None:
        """Change the requests a second of budgets; None means no limit."""
        self._upstreams.limits.set(rates)

    def prepare(self) -> None:
        """Generate the bulk files now, so that no request waits (half a second for 1,000 genes)."""
        self._upstreams.files.prepare()

    def start(self) -> Self:
        """Start the server."""
        self._thread.start()
        return self

    def close(self) -> None:
        """Stop the server. Open connections get a second to end."""
        self._server.should_exit = True
        if self._thread.ident is not None:
            self._thread.join()
        self._socket.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self.start()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await asyncio.to_thread(self.close)


class _Server(uvicorn.Server):
    """A server that ends all connections when it stops.

    uvicorn leaves connections open that are still active after its timeout, for example if the
    client does not read. Their sockets would stay open until garbage collection.
    """

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop, and close all connections; see uvicorn."""
        # A server that closes between accepting a connection and opening its transport leaves the
        # socket open: https://github.com/python/cpython/issues/109564
        for server in self.servers:
            for listening in server.sockets:
                asyncio.get_running_loop().remove_reader(listening)
        await asyncio.sleep(0)
        await super().shutdown(sockets)
        for _ in range(_TURNS):
            # again in each turn, because a connection that was just accepted appears later
            for connection in [*self.server_state.connections]:
                connection.transport.abort()
            await asyncio.sleep(0)


def _listen(port: int) -> socket.socket:
    # The protocol is named explicitly, because asyncio sets TCP_NODELAY only on such sockets
    # (base_events.py, `_set_nodelay`). Without it, each answer waits 40 ms for a delayed
    # acknowledgement.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((_LOOPBACK, port))
        listening.listen(1024)
    except BaseException:
        listening.close()
        raise
    return listening
