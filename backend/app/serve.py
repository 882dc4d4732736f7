"""Serves the API with uvicorn."""

import gc
import logging
import signal
import socket
import sys
from types import FrameType

import uvicorn

from app.api.connections import ACCEPTED_AT_ONCE, ConnectionLimit, max_connections
from app.api.log_throttle import throttle_server_logs
from app.api.protocol import limited_protocol
from app.core.config import Settings
from app.core.errors import UserError
from app.core.process import signals

logger = logging.getLogger(__name__)

SHUTDOWN_TIMEOUT = 5
"""Seconds that running requests have to finish when the API stops."""

BACKLOG = 2_048
"""The number of connections that the kernel queues until they are accepted."""


def serve(settings: Settings, host: str, port: int) -> None:
    """Serve the API until SIGTERM, Ctrl-C or the end of the terminal.

    Args:
        settings: the limits on connections.
        host: the address to listen on.
        port: the port to listen on; 0 means any free port.

    Raises:
        UserError: the address is in use or not available.
        SystemExit: with status 0 after a signal, or 1 if the start failed.
    """
    listening = listen(host, port)
    server = _server(settings)
    # at its end, uvicorn raises the signal that stopped it again; a clean stop must exit with 0
    signal.signal(signal.SIGTERM, _exit)
    signal.signal(signal.SIGINT, _exit)
    signals.ignore_at_exit({signal.SIGTERM, signal.SIGINT} | signals.unhandled())
    server.run(sockets=[listening])
    if not server.started:
        sys.exit(1)


def _server(settings: Settings) -> uvicorn.Server:
    limit = ConnectionLimit(max_connections(settings.api_max_connections))
    return _Server(
        uvicorn.Config(
            "app.main:create_app",
            factory=True,
            http=limited_protocol(limit, settings.api_client_timeout),
            backlog=ACCEPTED_AT_ONCE,
            log_config=None,
            server_header=False,
            root_path=settings.api_root_path,
            timeout_graceful_shutdown=SHUTDOWN_TIMEOUT,
        )
    )


class _Server(uvicorn.Server):
    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the endless event streams, for which uvicorn would wait, and stop."""
        # see the ASGI specification, lifespan state; the start may have failed
        if (end_streams := self.lifespan.state.get("end_streams")) is not None:
            end_streams()
        await super().shutdown(sockets)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen with a long backlog.

        uvicorn's ``backlog`` also sets the number of connections that asyncio accepts at once,
        which must be small.
        """
        throttle_server_logs()
        # keeps the collector away from imported modules, see `app/core/arq_worker.py`
        gc.freeze()
        await super().startup(sockets)
        for listening in sockets or ():
            listening.listen(BACKLOG)


def _exit(number: int, frame: FrameType | None) -> None:
    del number, frame
    sys.exit(0)


def listen(host: str, port: int) -> socket.socket:
    """Listen on an address.

    Raises:
        UserError: another program listens there, or the address does not belong to this machine.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, _, _, _, address = found[0]
        listening = socket.create_server(address[:2], family=family, backlog=BACKLOG)
        # Accepted sockets inherit the option, which asyncio sets only on sockets with an explicit
        # protocol (`_set_nodelay`, Python 3.11). Without it, the body of a response waits 40 ms
        # until the client acknowledges the header.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except OSError as error:
        raise UserError(
            f"the API cannot listen on {host}, port {port}: {error.strerror or error}",
            remedy="stop the program that listens there, or use another port: just api --port 8001",
        ) from error
    where = f"[{host}]" if ":" in host else host
    logger.info("the API listens on http://%s:%d", where, listening.getsockname()[1])
    return listening
