import asyncio
from collections.abc import Sequence
from typing import Protocol

from app.core.runs.transitions import Bell


class Dispatcher(Protocol):
    """Tells whoever executes runs that some are ready.

    Ringing may fail or be repeated: PostgreSQL knows what is queued, and recovery rings again.
    """

    async def ring(self, ready: Sequence[Bell]) -> bool:
        """Ring for each of these; False when that failed, which is logged and not raised."""

    async def close(self) -> None:
        """Give back connections."""


class InProcessDispatcher:
    """Wakes the executor of this process; another process finds the run when it next looks."""

    def __init__(self) -> None:
        self.wake = asyncio.Event()

    async def ring(self, ready: Sequence[Bell]) -> bool:
        """Wake the executor."""
        if ready:
            self.wake.set()
        return True

    async def close(self) -> None:
        """Nothing to give back."""
