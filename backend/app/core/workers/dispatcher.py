import asyncio
from collections.abc import Collection, Sequence
from typing import Protocol

from app.core.runs.ref import RunRef


class Dispatcher(Protocol):
    """Tells whoever executes runs that some are ready.

    Sending may fail or be repeated: PostgreSQL knows what is queued, and recovery sends again.
    """

    async def send(self, ready: Sequence[RunRef], *, unanswered: Collection[RunRef] = ()) -> bool:
        """Send a wake-up for each run; return False when that failed, which is logged.

        Args:
            ready: queued runs.
            unanswered: those among them for which a former wake-up went unanswered.
        """

    async def close(self) -> None:
        """Close the connections."""


class InProcessDispatcher:
    """Wakes the executor of this process; another process finds the run when it next looks."""

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
