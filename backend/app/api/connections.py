"""Limits the number of connections to the API, and closes idle ones in favour of new ones."""

import logging
import resource
from typing import Protocol

from app.api.log_throttle import ThrottledWarning

logger = logging.getLogger(__name__)

ACCEPTED_AT_ONCE = 32
"""The number of connections that the event loop accepts in one iteration. It closes none in the
same iteration, so this many file descriptors must be free."""

RESERVED_FILES = 96
"""File descriptors reserved for everything but clients: PostgreSQL, Redis, upstreams, files."""

MIN_CONNECTIONS = 8
"""The minimum number of connections, even if the process may open very few files."""


def max_connections(limit: int) -> int:
    """Return the number of connections that the process can keep open, at most ``limit``.

    Without a free file descriptor, the event loop retries to accept a connection in a busy loop and
    logs a traceback each time (``asyncio/selector_events.py``, ``_accept_connection``). The process
    does nothing else meanwhile. This limit keeps descriptors free.
    """
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files == resource.RLIM_INFINITY:
        return limit
    possible = max(MIN_CONNECTIONS, files - RESERVED_FILES - 2 * ACCEPTED_AT_ONCE)
    if possible < limit:
        logger.info(
            "the API keeps at most %d connections, because the process may open only %d files; to"
            " allow more, raise the limit on open files (ulimit -n, or LimitNOFILE= in the unit)",
            possible,
            files,
        )
    return min(limit, possible)


class Client(Protocol):
    """A connection to a client."""

    def abort(self) -> None:
        """Close the connection at once."""


class ConnectionLimit:
    """Keeps at most a given number of connections.

    A connection whose request is being executed is never closed. Every other connection waits for
    its client: the client has not sent a complete request, sends no further request, or does not
    read the response. At the limit, the connection that has waited longest is closed. So a client
    that sends its request at once is served even while another one opens connections and sends
    nothing.

    Args:
        limit: the maximum number of connections.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._clients: set[Client] = set()
        # in the order in which they began to wait
        self._waiting: dict[Client, None] = {}
        self._closed = ThrottledWarning("closed connections of clients that were slow or too many")
        self._refused = ThrottledWarning("refused connections, because all others are busy")

    def admit(self, client: Client) -> bool:
        """Admit a connection, closing a waiting one if necessary; return False if all are busy."""
        if len(self._clients) >= self._limit:
            if not self._waiting:
                self._refused.count()
                return False
            self.close(next(iter(self._waiting)))
        self._clients.add(client)
        self._waiting[client] = None
        return True

    def forget(self, client: Client) -> None:
        """Remove a connection that was closed."""
        self._clients.discard(client)
        self._waiting.pop(client, None)

    def mark_busy(self, client: Client) -> None:
        """Record that a complete request of a connection is being executed."""
        self._waiting.pop(client, None)

    def mark_waiting(self, client: Client) -> None:
        """Record that a connection waits for its client."""
        if client in self._clients:
            self._waiting.setdefault(client)

    def close(self, client: Client) -> None:
        """Close a connection, because its client is too slow or because of the limit."""
        self._closed.count()
        self.forget(client)
        client.abort()
