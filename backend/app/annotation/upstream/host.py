"""What is known of an upstream host."""

import hashlib
from dataclasses import dataclass

_DIGEST = 12


@dataclass(frozen=True, slots=True)
class Host:
    """What a source declares about a service it asks.

    Args:
        name: one word, "ncbi". It names the budget, and ``<NAME>_API_KEY`` is its key's setting.
        rate: requests a second that the service allows without a key.
        rate_with_key: the same with a key; None if a key makes no difference.
        concurrency: requests in flight at a time, in one process and for one source.
        max_body: bytes of an answer, decompressed; a longer one is refused.
        max_download: bytes of a file; a longer one is refused.
    """

    name: str
    rate: float
    rate_with_key: float | None = None
    concurrency: int = 4
    max_body: int = 16 * 1024**2
    max_download: int = 64 * 1024**2

    def budget(self, key: str | None) -> str:
        """Return the name of the budget that requests with this key, or without one, count to."""
        return f"{self.name}:{digest(key)}" if key else self.name

    def allowed(self, key: str | None) -> float:
        """Return the requests a second that the service allows."""
        return (self.rate_with_key if key else None) or self.rate


def digest(text: str) -> str:
    """Return a short name for a text, that does not tell it."""
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGEST]
