import random
import threading
from collections import deque
from collections.abc import Sequence


class Faults:
    """Decides which deliveries fail, and how.

    Args:
        kinds: the faults that the server can simulate.
    """

    def __init__(self, kinds: Sequence[str]) -> None:
        self._kinds = kinds
        self._next: deque[str] = deque()
        self._share = 0.0
        self._chosen: Sequence[str] = kinds
        self._random = random.Random(0)  # noqa: S311 - a fault is no secret
        self._lock = threading.Lock()
        self.met = 0
        """The number of deliveries that got a fault."""

    def queue(self, *kinds: str) -> None:
        """Queue faults for the next deliveries, one for each delivery."""
        self._check(kinds)
        with self._lock:
            self._next.extend(kinds)

    def at_random(self, share: float, *, kinds: Sequence[str] = (), seed: int = 0) -> None:
        """Let a fraction of all deliveries fail with a random fault.

        Args:
            share: the fraction, from 0 to 1.
            kinds: the faults to choose from. The default is all faults.
            seed: the seed of the random choices.
        """
        self._check(kinds)
        with self._lock:
            self._share = share
            self._chosen = kinds or self._kinds
            self._random.seed(seed)

    def clear(self) -> None:
        """Let all further deliveries succeed."""
        with self._lock:
            self._next.clear()
            self._share = 0.0

    def take(self) -> str | None:
        """Return the fault for the current delivery, or None."""
        with self._lock:
            fault = None
            if self._next:
                fault = self._next.popleft()
            elif self._random.random() < self._share:
                fault = self._random.choice(self._chosen)
            self.met += fault is not None
            return fault

    def _check(self, kinds: Sequence[str]) -> None:
        if unknown := set(kinds) - set(self._kinds):
            raise ValueError(f"unknown faults {sorted(unknown)}; allowed: {list(self._kinds)}")
