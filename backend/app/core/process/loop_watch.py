"""Measures whether the event loop of this process was on time."""

import asyncio
from dataclasses import dataclass
from types import TracebackType
from typing import Self

TICK = 0.05
"""Seconds between two readings of the clock."""

MAX_LOST_SHARE = 0.2
"""The share of the time for which the event loop may be late and still count as on time."""


class LoopWatch:
    """Measures whether this process's event loop was on time during a block.

    An overloaded process notices a reply late, perhaps only after its timeout. So code that would
    blame a service for a timeout checks this first::

        async with LoopWatch() as watch:
            await asyncio.wait({request}, timeout=3)
        if not request.done() and watch.on_time:
            ...  # the service did not reply
    """

    def __init__(self) -> None:
        self._clock = asyncio.get_running_loop().time
        self._seen = self._clock()
        self._lost = 0.0
        self._ended: Moment | None = None
        self._began = self.now()

    async def __aenter__(self) -> Self:
        self._seen = self._clock()
        self._began = self.now()
        self._watching = asyncio.create_task(self._watch(), name="loop watch")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._ended = self.now()
        self._watching.cancel()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(TICK)
            self._lost = self.now().lost
            self._seen = self._clock()

    def now(self) -> "Moment":
        """Return the current moment for :meth:`on_time_since`; after the block, that of its end."""
        at = self._clock()
        return self._ended or Moment(at, self._lost + max(0.0, at - self._seen - TICK))

    def on_time_since(self, moment: "Moment") -> bool:
        """Return whether the loop has been on time since a moment."""
        now = self.now()
        return now.lost - moment.lost <= MAX_LOST_SHARE * (now.at - moment.at)

    @property
    def on_time(self) -> bool:
        """Whether the loop was on time during the whole block."""
        return self.on_time_since(self._began)

    @property
    def lost(self) -> float:
        """The total time for which the loop was late, in seconds."""
        return self.now().lost - self._began.lost


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in time.

    Attributes:
        at: the time by the event loop's clock.
        lost: the total time for which the loop was late until then, in seconds.
    """

    at: float
    lost: float
