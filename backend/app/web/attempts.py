import time
from collections import OrderedDict

MAX_PER_CLIENT = 5
MAX_IN_ALL = 60
"""Wrong tokens that are answered in one window."""

WINDOW = 60.0
"""Seconds."""

_MAX_CLIENTS = 10_000


class Attempts:
    """Limits how often a wrong token can be tried, for each client and for all together.

    A token has at least 8 characters. At this rate, nobody finds one by trying. Who has logged in
    before waits only for its own wrong tokens, so that others cannot keep it out.
    """

    def __init__(self) -> None:
        self._known: OrderedDict[str, None] = OrderedDict()
        self._failed: OrderedDict[str, list[float]] = OrderedDict()
        self._all: list[float] = []

    def wait(self, client: str) -> float:
        """Return the seconds that a client has to wait before it may try a token; 0 for none."""
        now = time.monotonic()
        mine = _recent(self._failed.get(client, []), now)
        self._all = _recent(self._all, now)
        limits = [(mine, MAX_PER_CLIENT)]
        if client not in self._known:
            limits.append((self._all, MAX_IN_ALL))
        waits = [failed[-limit] + WINDOW - now for failed, limit in limits if len(failed) >= limit]
        return max(waits, default=0.0)

    def failed(self, client: str) -> None:
        """Count a wrong token."""
        now = time.monotonic()
        mine = _recent(self._failed.pop(client, []), now)
        self._failed[client] = [*mine, now]
        self._all.append(now)
        while len(self._failed) > _MAX_CLIENTS:
            self._failed.popitem(last=False)

    def succeeded(self, client: str) -> None:
        """Remember a client that had the right token."""
        self._known[client] = None
        self._known.move_to_end(client)
        while len(self._known) > _MAX_CLIENTS:
            self._known.popitem(last=False)


def _recent(times: list[float], now: float) -> list[float]:
    return [each for each in times if now - each < WINDOW]
