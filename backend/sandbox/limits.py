from collections import Counter, OrderedDict, deque
from dataclasses import dataclass

_MAX_CLIENTS = 1_000


@dataclass(frozen=True, slots=True)
class Verdict:
    """The decision on a request. `remaining` and `wait` (in seconds) are for the headers."""

    admitted: bool
    limit: float | None
    remaining: int
    wait: float = 0.0


class Limits:
    """Sliding windows of one second, one for each budget and client.

    Refused requests do not count. Rates below one a second use a window of 1/rate seconds.

    Args:
        rates: the requests a second by budget; None means no limit.
        daily: whether the daily limits of downloads apply.
    """

    def __init__(self, rates: dict[str, float | None], *, daily: bool = False) -> None:
        self.rates = rates
        self._daily = daily
        self._downloads: Counter[tuple[str, str]] = Counter()
        self._windows: OrderedDict[tuple[str, str], deque[float]] = OrderedDict()

    def admit(self, budget: str, client: str, now: float) -> Verdict:
        """Admit a request, or refuse it.

        Args:
            budget: a key of `rates`.
            client: the API key or address that the budget belongs to.
            now: the monotonic time in seconds.
        """
        rate = self.rates.get(budget)
        if rate is None:
            return Verdict(admitted=True, limit=None, remaining=0)
        limit = max(1, int(rate))
        length = limit / rate
        window = self._windows.setdefault((budget, client), deque())
        self._windows.move_to_end((budget, client))
        if len(self._windows) > _MAX_CLIENTS:
            self._windows.popitem(last=False)
        while window and now - window[0] >= length:
            window.popleft()
        if len(window) >= limit:
            return Verdict(admitted=False, limit=rate, remaining=0, wait=length - (now - window[0]))
        window.append(now)
        return Verdict(admitted=True, limit=rate, remaining=limit - len(window))

    def admit_daily(self, file: str, client: str, limit: int) -> bool:
        """Admit a download or refuse it. The day of the sandbox ends with :meth:`forget`."""
        if self._daily and self._downloads[file, client] >= limit:
            return False
        self._downloads[file, client] += 1
        return True

    def forget(self) -> None:
        """Forget all downloads, like at the end of a day."""
        self._downloads.clear()

    def set(self, rates: dict[str, float | None]) -> None:
        """Change some of the rates. Their counts start from zero."""
        self.rates.update(rates)
        self._windows.clear()
