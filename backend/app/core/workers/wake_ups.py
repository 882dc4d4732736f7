import asyncio
from collections.abc import Mapping

from app.core.process import cancelling
from app.core.runs.ref import RunRef
from app.core.workers.dispatcher import Dispatcher


class WakeUps:
    """Sends wake-ups in the background, so that a slow Redis does not delay the heartbeats.

    Args:
        dispatcher: sends the wake-ups.
    """

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher
        self._sending: asyncio.Task[None] | None = None
        # the runs that need a wake-up, and whether a former one went unanswered
        self._unsent: dict[RunRef, bool] = {}

    def send(self, ready: Mapping[RunRef, bool]) -> None:
        """Start to send wake-ups, without waiting for the result.

        Args:
            ready: the runs, and whether a former wake-up went unanswered.
        """
        self._unsent |= ready
        if self._unsent and (self._sending is None or self._sending.done()):
            self._sending = asyncio.create_task(self._send_all(), name="wake-ups")

    async def stop(self, within: float) -> None:
        """Wait until all wake-ups are sent. Another worker's recovery sends the remaining ones.

        Args:
            within: seconds to wait.
        """
        if self._sending is not None:
            await asyncio.wait({self._sending}, timeout=within)
            # a running task would keep its connection open when the pool is closed
            await cancelling.end(self._sending, within=within)

    async def _send_all(self) -> None:
        while self._unsent:
            ready, self._unsent = self._unsent, {}
            unanswered = {ref for ref, before in ready.items() if before}
            if not await self._dispatcher.send(list(ready), unanswered=unanswered):
                # retried by recovery; a wake-up for a run that was claimed meanwhile is ignored
                self._unsent = ready | self._unsent
                return
