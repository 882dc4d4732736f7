import time
from collections import deque

from app.core.runs.views import SourceProgress

WINDOW = 30.0
"""Seconds that a rate is averaged over."""


class Speed:
    """How fast a source's genes come in, as seen while looking on."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int, int]] = deque()

    def see(self, progress: SourceProgress) -> None:
        """Take note of how far it is now."""
        now = time.monotonic()
        self._seen.append((now, progress.done, progress.weight_done))
        while len(self._seen) > 2 and now - self._seen[0][0] > WINDOW:  # noqa: PLR2004 - two make a difference
            self._seen.popleft()

    @property
    def genes(self) -> float | None:
        """Genes a second; None when not known yet."""
        return self._per_second(1)

    def eta(self, progress: SourceProgress) -> float | None:
        """Return the seconds that are left, by the work that is expected; None when not known."""
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
