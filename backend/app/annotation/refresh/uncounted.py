from app.annotation.sources.base import Source
from app.annotation.upstream.traffic import Traffic
from app.core.runs.buckets import COMMITS, Histogram


class Uncounted:
    """The traffic and commit durations of an attempt that no commit has counted yet.

    A crashed attempt loses only these counts.

    Args:
        source: the source whose traffic is counted.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._counted = Traffic()
        self._commits = Histogram(COMMITS)

    @property
    def has_requests(self) -> bool:
        """Whether requests were sent since the last :meth:`take`."""
        return self._source.traffic.requests != self._counted.requests

    def commit_took(self, seconds: float) -> None:
        """Record the duration of a batch's commit, which is known only after the commit."""
        self._commits.observe(seconds)

    def take(self) -> tuple[Traffic, Histogram]:
        """Return the traffic and commit durations since the last call. The caller stores them."""
        now = self._source.traffic
        traffic, self._counted = now - self._counted, now
        commits, self._commits = self._commits, Histogram(COMMITS)
        return traffic, commits
