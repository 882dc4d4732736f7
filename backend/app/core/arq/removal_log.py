"""Logs the members that were removed from arq's queue."""

import logging
import time
from collections.abc import Mapping

logger = logging.getLogger(__name__)

MAX_EXAMPLES = 5
"""The maximum number of members that one line names; twice as many if their reasons differ."""

LOG_INTERVAL = 60.0
"""Seconds between two lines. The next line counts the removals in between."""


class RemovalLog:
    """Logs members of a queue that were removed because they are not jobs, many per line.

    Args:
        queue: the Redis key of the queue.
    """

    def __init__(self, queue: str) -> None:
        self._queue = queue
        self._count = 0
        self._examples: dict[bytes, str] = {}
        self._quiet_until = 0.0

    def add(self, members: Mapping[bytes, str]) -> None:
        """Count members that were removed.

        Args:
            members: the members with the reasons. The examples in the log cover as many different
                reasons as possible.
        """
        self._count += len(members)
        for member, reason in members.items():
            count = len(self._examples)
            is_new = reason not in self._examples.values()
            if count < MAX_EXAMPLES or (count < 2 * MAX_EXAMPLES and is_new):
                self._examples[member] = reason

    def write(self) -> None:
        """Log the removals since the last line, unless that line is too recent."""
        if not self._count or time.monotonic() < self._quiet_until:
            return
        shown = "; ".join(
            f"{member[:80].decode(errors='backslashreplace')!r}: {reason[:200]}"
            for member, reason in self._examples.items()
        )
        logger.warning(
            "removed %d members that are not jobs from the queue %s, for example %s",
            *(self._count, self._queue, shown),
        )
        self._count = 0
        self._examples.clear()
        self._quiet_until = time.monotonic() + LOG_INTERVAL
