"""Keeps what any client can cause, as often as it likes, from filling the log."""

import asyncio
import logging
import time
from typing import Any

logger = logging.getLogger(__name__)

PAUSE = 60.0
"""Seconds between two lines that say the same."""

LONGEST = 200
"""Characters of an address that are logged; it may have 16,000."""


class Seldom:
    """Says what happens often in one line a minute, and how often it happened.

    Args:
        what: happens.
    """

    def __init__(self, what: str) -> None:
        self._what = what
        self._times = 0
        self._said: float | None = None

    def happened(self) -> None:
        """Count it, and say it when it was not said lately."""
        self._times += 1
        now = time.monotonic()
        if self._said is None or now - self._said >= PAUSE:
            logger.warning("%s: %d since the last such line", self._what, self._times)
            self._said, self._times = now, 0


def install() -> None:
    """Keep down what uvicorn and the running event loop log of their own accord."""
    bad_requests = Seldom("refused what is no HTTP request")
    full = Seldom("cannot accept connections, as the process may open no more files")

    def without_bad_requests(record: logging.LogRecord) -> bool:
        if record.getMessage() != "Invalid HTTP request received.":
            return True
        bad_requests.happened()
        return False

    def without_full(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        # asyncio says it with a traceback for each connection that waits
        if "out of system resource" in context["message"]:
            full.happened()
        else:
            loop.default_exception_handler(context)

    logging.getLogger("uvicorn.access").addFilter(_shorten)
    logging.getLogger("uvicorn.error").addFilter(without_bad_requests)
    asyncio.get_running_loop().set_exception_handler(without_full)


def _shorten(record: logging.LogRecord) -> bool:
    """Cut long addresses off in ``client - "GET /path HTTP/1.1" 200``."""
    if isinstance(record.args, tuple):
        record.args = tuple(
            each[:LONGEST] + "..." if isinstance(each, str) and len(each) > LONGEST else each
            for each in record.args
        )
    return True
