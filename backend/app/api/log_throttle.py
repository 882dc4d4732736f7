"""Prevents warnings that any client can cause from filling the log."""

import asyncio
import logging
import time
from typing import Any

logger = logging.getLogger(__name__)

REPEAT_INTERVAL = 60.0
"""Seconds between two lines with the same warning."""

MAX_ADDRESS = 200
"""Characters of an address that are logged. uvicorn accepts addresses of 16,000 characters."""


class ThrottledWarning:
    """Logs a frequent event at most once a minute, with the number of its occurrences.

    Args:
        event: a description of the event for the log.
    """

    def __init__(self, event: str) -> None:
        self._event = event
        self._count = 0
        self._logged_at: float | None = None

    def count(self) -> None:
        """Count an occurrence, and log the count at most once a minute."""
        self._count += 1
        now = time.monotonic()
        if self._logged_at is None or now - self._logged_at >= REPEAT_INTERVAL:
            logger.warning("%s: %d since the last line about this", self._event, self._count)
            self._logged_at, self._count = now, 0


def throttle_server_logs() -> None:
    """Throttle the warnings of uvicorn and of the running event loop that clients can cause."""
    bad_requests = ThrottledWarning("refused requests that are not HTTP")
    no_files = ThrottledWarning("cannot accept connections: the process may open no more files")

    def drop_bad_requests(record: logging.LogRecord) -> bool:
        if record.getMessage() != "Invalid HTTP request received.":
            return True
        bad_requests.count()
        return False

    def handle_exception(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        # asyncio would log a traceback for each waiting connection
        if "out of system resource" in context["message"]:
            no_files.count()
        else:
            loop.default_exception_handler(context)

    logging.getLogger("uvicorn.access").addFilter(_shorten_addresses)
    logging.getLogger("uvicorn.error").addFilter(drop_bad_requests)
    asyncio.get_running_loop().set_exception_handler(handle_exception)


def _shorten_addresses(record: logging.LogRecord) -> bool:
    """Truncate long addresses in lines like ``client - "GET /path HTTP/1.1" 200``."""
    if isinstance(record.args, tuple):
        record.args = tuple(
            argument[:MAX_ADDRESS] + "..."
            if isinstance(argument, str) and len(argument) > MAX_ADDRESS
            else argument
            for argument in record.args
        )
    return True
