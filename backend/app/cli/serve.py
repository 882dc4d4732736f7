import logging
import signal
import socket
import sys
from types import FrameType

import click
import uvicorn

from app.api import seldom
from app.api.door import BURST, Door, most_connections
from app.api.protocol import guarded
from app.cli.session import Session, in_session
from app.core.config import Settings, get_settings
from app.core.errors import UserError

logger = logging.getLogger(__name__)

GRACE = 5
"""Seconds that requests under way get when the API stops."""

WAITING = 2_048
"""Connections that the kernel keeps until they are accepted."""


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen.")
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=8000,
    show_default=True,
    help="0 takes a free one.",
)
def api(host: str, port: int) -> None:
    """Serve the API until SIGTERM, Ctrl-C or the terminal's end.

    With USE_ARQ_WORKER off it also executes the runs, and goes on with those that an earlier one
    left behind.
    """

    async def nothing(session: Session) -> None:
        """Be here once the database was found usable."""

    in_session(nothing)
    listening = _listen(host, port)
    server = _server(get_settings())
    # uvicorn raises the signal that stopped it again when it is done: a clean stop is a success
    signal.signal(signal.SIGTERM, _stopped)
    signal.signal(signal.SIGINT, _stopped)
    server.run(sockets=[listening])
    if not server.started:
        sys.exit(1)


def _server(settings: Settings) -> uvicorn.Server:
    door = Door(most_connections(settings.api_max_connections))
    return _Server(
        uvicorn.Config(
            "app.main:create_app",
            factory=True,
            http=guarded(door, settings.api_client_timeout),
            backlog=BURST,
            log_config=None,
            server_header=False,
            timeout_graceful_shutdown=GRACE,
        )
    )


class _Server(uvicorn.Server):
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen; that few connections are accepted at once does not mean that few may wait."""
        seldom.install()
        await super().startup(sockets)
        for each in sockets or ():
            each.listen(WAITING)


def _stopped(number: int, frame: FrameType | None) -> None:
    del number, frame
    sys.exit(0)


def _listen(host: str, port: int) -> socket.socket:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, _, _, _, address = found[0]
        listening = socket.create_server(address[:2], family=family, backlog=WAITING)
    except OSError as error:
        raise UserError(
            f"the API cannot listen on {host}, port {port}: {error.strerror or error}",
            remedy="stop what listens there, or take another port: just api --port 8001",
        ) from error
    where = f"[{host}]" if ":" in host else host
    logger.info("the API listens on http://%s:%d", where, listening.getsockname()[1])
    return listening
