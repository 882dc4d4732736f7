import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from app.api.shared_query import CANCEL_TIMEOUT
from app.core.process import cancelling

T = TypeVar("T")

RENEW_AFTER = 60.0
"""Seconds after which the next request for a result renews it in the background."""

MAX_AGE = 300.0
"""Seconds after which a result is too old to be returned."""


class Recent(Generic[T]):
    """Caches the result of a slow query.

    Callers get the cached result at once. If it is older than :data:`RENEW_AFTER`, it is renewed in
    the background, for the next caller. Only the first caller, and a caller after :data:`MAX_AGE`,
    waits for the query.

    Args:
        ask: executes the query.
        clock: returns the monotonic time in seconds.
    """

    def __init__(
        self, ask: Callable[[], Awaitable[T]], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._ask = ask
        self._clock = clock
        self._answer: tuple[float, T] | None = None
        self._renewing: asyncio.Task[T] | None = None

    async def result(self) -> T:
        """Return the cached result, or wait for the query.

        Raises:
            Unavailable, Busy: the query failed, and there is no recent result; see
                `SharedQuery.result`.
        """
        if self._answer is None or self._age() > MAX_AGE:
            return await self.renew()
        if self._age() > RENEW_AFTER and (self._renewing is None or self._renewing.done()):
            self._renewing = asyncio.create_task(self.renew())
            # the error is ignored here: the next callers retry, and finally get the error
            self._renewing.add_done_callback(lambda task: task.cancelled() or task.exception())
        return self._answer[1]

    async def cancel(self) -> None:
        """Stop renewing the result."""
        if self._renewing is not None:
            await cancelling.end(self._renewing, within=CANCEL_TIMEOUT)

    async def renew(self) -> T:
        """Execute the query, and cache its result.

        Raises:
            Unavailable, Busy: see :meth:`result`.
        """
        began = self._clock()
        answer = await self._ask()
        self._answer = began, answer
        return answer

    def _age(self) -> float:
        return 0.0 if self._answer is None else self._clock() - self._answer[0]
