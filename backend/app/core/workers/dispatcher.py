import asyncio
from collections.abc import Collection, Sequence
from typing import Protocol

from app.core.runs.ref import RunRef


class Dispatcher(Protocol):
    """Notifies workers that runs are ready.

    A wake-up may be lost or be sent twice: PostgreSQL knows which runs are queued, and recovery
    resends missing wake-ups.
    """

    async def send(self, ready: Sequence[RunRef], *, unanswered: Collection[RunRef] = ()) -> bool:
        """Send a wake-up for each run. Log a failure, and return False.

        Args:
            ready: queued runs.
            unanswered: the runs among these whose former wake-up went unanswered.
        """

    async def close(self) -> None:
        """Close the connections."""


class InProcessDispatcher:
    """Wakes the executor of this process. Other processes find the run with their next poll."""

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
