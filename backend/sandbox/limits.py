from collections import OrderedDict, deque
from dataclasses import dataclass

_MAX_CLIENTS = 1_000


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a request is admitted. `remaining` and `wait` (seconds) go into headers."""

    admitted: bool
    limit: float | None
    remaining: int
    wait: float = 0.0


class Limits:
    """Sliding windows of one second, one for each budget and client.

    A refused request does not count. Rates below one a second have a window of 1/rate seconds.
    """

    def __init__(self, rates: dict[str, float | None]) -> None:
        self.rates = rates
        self._windows: OrderedDict[tuple[str, str], deque[float]] = OrderedDict()

    def admit(self, budget: str, client: str, now: float) -> Verdict:
        """Admit a request, or refuse it.

        Args:
            budget: key of `rates`.
            client: API key or address: who the budget belongs to.
            now: monotonic seconds.
        """
        rate = self.rates.get(budget)
        if rate is None:
            return Verdict(admitted=True, limit=None, remaining=0)
        most = max(1, int(rate))
        length = most / rate
        window = self._windows.setdefault((budget, client), deque())
        self._windows.move_to_end((budget, client))
        if len(self._windows) > _MAX_CLIENTS:
            self._windows.popitem(last=False)
        while window and now - window[0] >= length:
            window.popleft()
        if len(window) >= most:
            return Verdict(admitted=False, limit=rate, remaining=0, wait=length - (now - window[0]))
        window.append(now)
        return Verdict(admitted=True, limit=rate, remaining=most - len(window))

    def set(self, rates: dict[str, float | None]) -> None:
        """Change some of the rates. Their counts start from zero."""
        self.rates.update(rates)
        self._windows.clear()
