"""The buckets of the histograms.

The index of a bucket is the number of bounds below the duration, so a bucket includes its bound, as
Prometheus wants it. Totals are stored by this index: change bounds only with a migration that
rewrites `event_totals.bucket` or `source_totals.commits`.
"""

from bisect import bisect_left
from dataclasses import dataclass, field

EVENTS = (0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600, 7_200, 21_600)
"""Seconds: of the time in the queue, of recovery, and of attempts, whose default timeout is last.
"""

COMMITS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
"""Seconds: of the commit of a batch."""


@dataclass(slots=True)
class Histogram:
    """How many durations there are in each bucket.

    Attributes:
        bounds: of the buckets, in seconds.
        counts: the number of durations by bucket. The last bucket has no bound.
        seconds: the sum of the durations.
    """

    bounds: tuple[float, ...]
    counts: list[int] = field(default_factory=list)
    seconds: float = 0.0

    def __post_init__(self) -> None:
        """Begin with as many buckets as the bounds make."""
        self.counts += [0] * (len(self.bounds) + 1 - len(self.counts))

    def observe(self, seconds: float) -> None:
        """Count a duration."""
        self.counts[bisect_left(self.bounds, seconds)] += 1
        self.seconds += seconds
