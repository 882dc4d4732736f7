"""The bucket bounds of the histograms.

The index of a bucket is the number of bounds below the duration, so a bucket includes its upper
bound, as Prometheus requires. Totals are stored by this index: change bounds only together with a
migration that rewrites `event_totals.bucket` or `source_totals.commits`.
"""

from bisect import bisect_left
from dataclasses import dataclass, field

EVENTS = (0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600, 7_200, 21_600)
"""Seconds: for queue times, recovery times and attempts. The last bound is an attempt's default
timeout."""

COMMITS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
"""Seconds: for the commits of batches."""


@dataclass(slots=True)
class Histogram:
    """The number of durations in each bucket.

    Attributes:
        bounds: the upper bounds of the buckets, in seconds.
        counts: the number of durations by bucket. The last bucket has no upper bound.
        seconds: the sum of the durations.
    """

    bounds: tuple[float, ...]
    counts: list[int] = field(default_factory=list)
    seconds: float = 0.0

    def __post_init__(self) -> None:
        """Extend the counts with empty buckets up to the number that the bounds require."""
        self.counts += [0] * (len(self.bounds) + 1 - len(self.counts))

    def observe(self, seconds: float) -> None:
        """Add a duration."""
        self.counts[bisect_left(self.bounds, seconds)] += 1
        self.seconds += seconds
