import time
from collections import deque

from app.core.runs.shapes import SourceProgress

WINDOW = 30.0
"""Seconds over which the speed is averaged."""


class Speed:
    """Measures the speed of a source from successive queries of its progress."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int, int]] = deque()

    def record(self, progress: SourceProgress) -> None:
        """Record the present progress."""
        now = time.monotonic()
        self._seen.append((now, progress.done, progress.weight_done))
        while len(self._seen) > 2 and now - self._seen[0][0] > WINDOW:  # noqa: PLR2004 - a difference needs two
            self._seen.popleft()

    @property
    def genes(self) -> float | None:
        """Genes per second; None if not known yet."""
        return self._per_second(1)

    def eta(self, progress: SourceProgress) -> float | None:
        """Return the estimated remaining seconds; None if not known yet."""
        work = self._per_second(2)
        if work is None or progress.weight_total is None or progress.state != "running":
            return None
        return max(progress.weight_total - progress.weight_done, 0) / work

    def _per_second(self, column: int) -> float | None:
        if not self._seen:
            return None
        first, last = self._seen[0], self._seen[-1]
        gained = last[column] - first[column]
        return gained / (last[0] - first[0]) if gained > 0 else None
