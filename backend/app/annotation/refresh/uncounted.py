from app.annotation.sources.base import Source
from app.annotation.upstream.traffic import Traffic
from app.core.runs.buckets import COMMITS, Histogram


class Uncounted:
    """What an attempt has done with a source, and no commit has counted yet.

    An attempt that dies loses no more than this.

    Args:
        source: whose traffic is counted.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._counted = Traffic()
        self._commits = Histogram(COMMITS)

    @property
    def has_requests(self) -> bool:
        """Whether requests were sent since the last time."""
        return self._source.traffic.requests != self._counted.requests

    def commit_took(self, seconds: float) -> None:
        """Note the duration of the commit of a batch. It is known only after the commit."""
        self._commits.observe(seconds)

    def take(self) -> tuple[Traffic, Histogram]:
        """Return the traffic and the commits since the last time. The caller writes them."""
        now = self._source.traffic
        traffic, self._counted = now - self._counted, now
        commits, self._commits = self._commits, Histogram(COMMITS)
        return traffic, commits
