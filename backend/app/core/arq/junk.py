import logging
import time
from collections.abc import Mapping

logger = logging.getLogger(__name__)

EXAMPLES = 5
"""Members that are named in one line; twice as many where the reasons differ."""

QUIET = 60.0
"""Seconds after a line in which what else is found is only counted."""


class Junk:
    """Tells, in one line for many, what was removed from a queue because it was no job.

    Args:
        queue: the queue's key.
    """

    def __init__(self, queue: str) -> None:
        self._queue = queue
        self._count = 0
        self._examples: dict[bytes, str] = {}
        self._quiet_until = 0.0

    def add(self, members: Mapping[bytes, str]) -> None:
        """Count members that were removed, each with the reason; each reason has its examples."""
        self._count += len(members)
        for member, why in members.items():
            known = len(self._examples)
            if known < EXAMPLES or (known < 2 * EXAMPLES and why not in self._examples.values()):
                self._examples[member] = why

    def tell(self) -> None:
        """Log what was found since the last line, unless that was just now."""
        if not self._count or time.monotonic() < self._quiet_until:
            return
        shown = "; ".join(
            f"{member[:80].decode(errors='backslashreplace')!r}: {why[:200]}"
            for member, why in self._examples.items()
        )
        logger.warning(
            "removed %d members of %s that are no job, %s", self._count, self._queue, shown
        )
        self._count = 0
        self._examples.clear()
        self._quiet_until = time.monotonic() + QUIET
