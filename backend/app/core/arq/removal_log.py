"""Logs what was removed from arq's queue."""

import logging
import time
from collections.abc import Mapping

logger = logging.getLogger(__name__)

MAX_EXAMPLES = 5
"""Members that one line names; twice as many where their reasons differ."""

LOG_INTERVAL = 60.0
"""Seconds between two lines. What is removed in between is counted in the next one."""


class RemovalLog:
    """Logs which members of a queue were removed because they are not jobs: one line for many.

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
            members: each with the reason. Every reason is represented among the examples, as far
                as they reach.
        """
        self._count += len(members)
        for member, reason in members.items():
            known = len(self._examples)
            is_new = reason not in self._examples.values()
            if known < MAX_EXAMPLES or (known < 2 * MAX_EXAMPLES and is_new):
                self._examples[member] = reason

    def write(self) -> None:
        """Log what was removed since the last line, unless that line is too recent."""
        if not self._count or time.monotonic() < self._quiet_until:
            return
        shown = "; ".join(
            f"{member[:80].decode(errors='backslashreplace')!r}: {reason[:200]}"
            for member, reason in self._examples.items()
        )
        logger.warning(
            "removed %d members of %s that are not jobs: %s", self._count, self._queue, shown
        )
        self._count = 0
        self._examples.clear()
        self._quiet_until = time.monotonic() + LOG_INTERVAL
