from collections import Counter
from collections.abc import Hashable, Iterable
from threading import Lock
from typing import Any

_MAX_REMEMBERED = 500_000


class _Seen:
    """Counts distinct and repeated keys, with bounded memory."""

    def __init__(self) -> None:
        self.asked: set[int] = set()
        self.again: set[int] = set()
        self.repeats = 0

    def add(self, key: Hashable) -> None:
        hashed = hash(key)
        if hashed in self.asked:
            self.again.add(hashed)
            self.repeats += 1
        elif len(self.asked) < _MAX_REMEMBERED:
            self.asked.add(hashed)

    def as_json(self) -> dict[str, int]:
        return {"asked": len(self.asked), "again": len(self.again), "repeats": self.repeats}


class Stats:
    """Counts requests and answers by endpoint, and the genes, pages and records of good answers."""

    def __init__(self) -> None:
        self._lock = Lock()
        self.reset()

    def reset(self) -> None:
        """Reset all counts to zero."""
        with self._lock:
            self._requests: Counter[str] = Counter()
            self._refused: Counter[str] = Counter()
            self._faulted: Counter[str] = Counter()
            self._records: Counter[str] = Counter()
            self._genes: dict[str, _Seen] = {}
            self._pages: dict[str, _Seen] = {}

    def request(self, endpoint: str) -> None:
        """Count a request, whatever its answer is."""
        with self._lock:
            self._requests[endpoint] += 1

    def refused(self, endpoint: str) -> None:
        """Count a 429 of the limits or of a fault."""
        with self._lock:
            self._refused[endpoint] += 1

    def faulted(self, endpoint: str) -> None:
        """Count a request that met a fault of any kind."""
        with self._lock:
            self._faulted[endpoint] += 1

    def served(
        self, endpoint: str, *, genes: Iterable[str], page: Hashable | None, records: int
    ) -> None:
        """Count a good answer.

        Args:
            endpoint: the name of the endpoint.
            genes: the requested symbols.
            page: the identity of the page.
            records: the number of records.
        """
        with self._lock:
            if records:
                self._records[endpoint] += records
            for gene in genes:
                self._genes.setdefault(endpoint, _Seen()).add(gene)
            if page is not None:
                self._pages.setdefault(endpoint, _Seen()).add(page)

    def as_json(self) -> dict[str, Any]:
        """Return all counts.

        `requests`, `refused` (429), `faulted` and `records` by endpoint; `genes` and `pages` by
        endpoint as `asked` (distinct ones), `again` (requested more than once) and `repeats` (the
        total number of repeated requests).
        """
        with self._lock:
            return {
                "requests": dict(self._requests),
                "refused": dict(self._refused),
                "faulted": dict(self._faulted),
                "records": dict(self._records),
                "genes": {name: seen.as_json() for name, seen in self._genes.items()},
                "pages": {name: seen.as_json() for name, seen in self._pages.items()},
            }
