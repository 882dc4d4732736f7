import time
from collections import OrderedDict

MAX_PER_CLIENT = 5
MAX_IN_ALL = 60
"""Wrong tokens that all clients together may try in one window."""

WINDOW = 60.0
"""The length of the window in seconds."""

_MAX_CLIENTS = 10_000


class Attempts:
    """Limits the rate of wrong tokens, for each client and for all clients together.

    A token has at least 8 characters, which cannot be guessed at this rate. A client that has
    logged in before is limited only by its own wrong tokens, so that other clients cannot lock it
    out.
    """

    def __init__(self) -> None:
        self._known: OrderedDict[str, None] = OrderedDict()
        self._failed: OrderedDict[str, list[float]] = OrderedDict()
        self._all: list[float] = []

    def wait(self, client: str) -> float:
        """Return the seconds that a client must wait before it may try a token, or 0."""
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
        """Remember a client that sent a valid token."""
        self._known[client] = None
        self._known.move_to_end(client)
        while len(self._known) > _MAX_CLIENTS:
            self._known.popitem(last=False)


def _recent(times: list[float], now: float) -> list[float]:
    return [at for at in times if now - at < WINDOW]
