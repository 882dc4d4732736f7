import asyncio
from types import TracebackType
from typing import Self

TICK = 0.05
"""Seconds between two looks at the clock."""

LATE = 0.2
"""The share of the time that may be lost before the event loop counts as late."""


class LoopWatch:
    """Tells whether this process' own event loop was on time while something was waited for.

    A process that has too much to do notices an answer late, or not before its timeout. Whoever
    blames a service for a timeout asks here first::

        async with LoopWatch() as watch:
            await asyncio.wait({question}, timeout=3)
        if not question.done() and watch.on_time:
            ...  # the service did not answer
    """

    def __init__(self) -> None:
        self._clock = asyncio.get_running_loop().time
        self._began = self._seen = self._ended = self._clock()
        self._lost = 0.0

    async def __aenter__(self) -> Self:
        self._began = self._seen = self._clock()
        self._watching = asyncio.create_task(self._watch(), name="loop watch")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._ended = self._clock()
        self._lost += max(0.0, self._ended - self._seen - TICK)
        self._watching.cancel()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(TICK)
            now = self._clock()
            self._lost += max(0.0, now - self._seen - TICK)
            self._seen = now

    @property
    def lost(self) -> float:
        """Seconds by which the loop was late in all, once the block has ended."""
        return self._lost

    @property
    def on_time(self) -> bool:
        """Whether the loop was on time, once the block has ended."""
        return self._lost <= LATE * (self._ended - self._began)
