import asyncio
from collections.abc import Collection, Sequence
from typing import Protocol

from app.core.runs.ref import RunRef


class Dispatcher(Protocol):
    """Tells workers that runs are ready.

    A wake-up may get lost or be sent twice, because PostgreSQL knows which runs are queued, and
    recovery sends missing wake-ups again.
    """

    async def send(self, ready: Sequence[RunRef], *, unanswered: Collection[RunRef] = ()) -> bool:
        """Send a wake-up for each run; if that fails, log it and return False.

        Args:
            ready: queued runs.
            unanswered: those among them for which a former wake-up went unanswered.
        """

    async def close(self) -> None:
        """Close the connections."""


class InProcessDispatcher:
    """Wakes the executor of this process. Other processes find the run at their next poll."""

    def __init__(self) -> None:
        self.wake = asyncio.Event()

    async def send(self, ready: Sequence[RunRef], *, unanswered: Collection[RunRef] = ()) -> bool:
        """Wake the executor."""
        del unanswered
        if ready:
            self.wake.set()
        return True

    async def close(self) -> None:
        """Do nothing: there are no connections."""
