"""How many connections the API keeps, and which one goes when there are too many."""

import logging
import resource
from typing import Protocol

from app.api.seldom import Seldom

logger = logging.getLogger(__name__)

BURST = 32
"""Connections that are accepted in one turn of the event loop. The event loop closes none in the
same turn, so as many descriptors have to be free."""

OWN_FILES = 96
"""Descriptors for all but clients: PostgreSQL, Redis, the upstream services, files and pipes."""

FEWEST = 8
"""Connections that are kept where a process may open next to no files."""


def most_connections(wanted: int) -> int:
    """Return how many connections can be kept, at most so many.

    The event loop accepts connections that it has no descriptor for, again and again, and logs a
    traceback each time (``asyncio/selector_events.py``, ``_accept_connection``); the process is
    deaf meanwhile. So there are always descriptors to spare.
    """
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files == resource.RLIM_INFINITY:
        return wanted
    possible = max(FEWEST, files - OWN_FILES - 2 * BURST)
    if possible < wanted:
        logger.info("at most %d connections: a process may open %d files here", possible, files)
    return min(wanted, possible)


class Client(Protocol):
    """A connection, as the door sees it."""

    def abort(self) -> None:
        """Close the connection at once."""


class Door:
    """Keeps a number of connections.

    One that is executing a request is never closed. The others wait for their client: it has not
    sent a whole request, sends no further one, or does not read its answer. When there are too
    many, the one goes that has waited longest. A client that says at once what it wants is served
    in this way also while somebody opens connections and says nothing.

    Args:
        most: connections that are kept.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._clients: set[Client] = set()
        # in the order in which they began to wait
        self._waiting: dict[Client, None] = {}
        self._closed = Seldom("closed connections of clients that were too slow, or too many")
        self._full = Seldom("refused connections, as each other one has a request under way")

    def enter(self, client: Client) -> bool:
        """Let a connection in, if need be in another one's place; False when there is no room."""
        if len(self._clients) >= self._most:
            if not self._waiting:
                self._full.happened()
                return False
            self.put_out(next(iter(self._waiting)))
        self._clients.add(client)
        self._waiting[client] = None
        return True

    def leave(self, client: Client) -> None:
        """Forget a connection that was closed."""
        self._clients.discard(client)
        self._waiting.pop(client, None)

    def serves(self, client: Client) -> None:
        """Note that a whole request of this connection is under way."""
        self._waiting.pop(client, None)

    def waits(self, client: Client) -> None:
        """Note that it is the client's turn."""
        if client in self._clients:
            self._waiting.setdefault(client)

    def put_out(self, client: Client) -> None:
        """Close a connection for its client's fault, or to make room."""
        self._closed.happened()
        self.leave(client)
        client.abort()
