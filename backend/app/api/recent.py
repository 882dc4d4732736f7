import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from app.api.shared_query import CANCEL_TIMEOUT
from app.core.process import cancelling

T = TypeVar("T")

RENEW_AFTER = 60.0
"""Seconds after which an answer is renewed, once somebody asks."""

MAX_AGE = 300.0
"""Seconds after which an answer is too old to be given."""


class Recent(Generic[T]):
    """The answer of a slow query, which may be some time old.

    Callers get the last answer at once. If it is older than :data:`RENEW_AFTER`, the query runs
    beside them, for the next caller. Only the first caller, and one after :data:`MAX_AGE`, waits
    for the query.

    Args:
        ask: asks the query.
        clock: returns the monotonic time, in seconds.
    """

    def __init__(
        self, ask: Callable[[], Awaitable[T]], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._ask = ask
        self._clock = clock
        self._answer: tuple[float, T] | None = None
        self._renewing: asyncio.Task[T] | None = None

    async def result(self) -> T:
        """Return the answer.

        Raises:
            Unavailable, Busy: there is no answer that is recent enough; see `SharedQuery.result`.
        """
        if self._answer is None or self._age() > MAX_AGE:
            return await self.renew()
        if self._age() > RENEW_AFTER and (self._renewing is None or self._renewing.done()):
            self._renewing = asyncio.create_task(self.renew())
            # the next caller tries again, and is told at last
            self._renewing.add_done_callback(lambda task: task.cancelled() or task.exception())
        return self._answer[1]

    async def cancel(self) -> None:
        """Stop renewing the answer."""
        if self._renewing is not None:
            await cancelling.end(self._renewing, within=CANCEL_TIMEOUT)

    async def renew(self) -> T:
        """Ask for the answer as it is now.

        Raises:
            Unavailable, Busy: see :meth:`result`.
        """
        began = self._clock()
        answer = await self._ask()
        self._answer = began, answer
        return answer

    def _age(self) -> float:
        return 0.0 if self._answer is None else self._clock() - self._answer[0]
