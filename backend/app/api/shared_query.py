import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from psycopg.errors import ConnectionTimeout
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from app.api.errors import Busy
from app.core.errors import KidneyGeneticsError
from app.core.postgres.unavailable import DATABASE_ERRORS
from app.core.process import cancelling
from app.core.process.loop_watch import LoopWatch

T = TypeVar("T")

PROBE_TIMEOUT = 3.0
"""Seconds that a caller waits for PostgreSQL or Redis. Prometheus waits for 10 s, and the
container's health check for 4 s."""

QUERY_TIMEOUT = 10.0
"""Seconds after which a query without a result is abandoned. The next caller starts a new one on
another connection."""

CANCEL_TIMEOUT = 2.0
"""Seconds that a cancelled query has to end."""


class Unavailable(KidneyGeneticsError):
    """PostgreSQL or Redis does not answer or refuses the query. This process is not the cause."""


_TIMEOUTS = (TimeoutError, RedisTimeoutError, ConnectionTimeout)


def _timed_out(watch: LoopWatch) -> Busy | Unavailable:
    if watch.on_time:
        return Unavailable("no answer in time")
    return Busy(f"its event loop was late by {watch.lost:.1f} s")


class SharedQuery(Generic[T]):
    """A query that runs at most once at a time: concurrent callers share the result.

    So one connection is enough for any number of callers.

    Args:
        run: executes the query.
        timeout: seconds after which a query without a result is abandoned.
    """

    def __init__(self, run: Callable[[], Awaitable[T]], timeout: float = QUERY_TIMEOUT) -> None:
        self._run = run
        self._timeout = timeout
        self._running: asyncio.Task[T] | None = None

    async def result(self) -> T:
        """Return the result of the query.

        Raises:
            Unavailable: the query failed or did not end in time.
            Busy: the query did not end in time, because this process is overloaded.
        """
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._run_in_time())
            # retrieves the exception, because the query may fail after all callers have left
            self._running.add_done_callback(lambda task: task.cancelled() or task.exception())
        running = self._running
        async with LoopWatch() as watch:
            await asyncio.wait({running}, timeout=PROBE_TIMEOUT)
        if not running.done():
            raise _timed_out(watch)
        try:
            return running.result()
        except PoolTimeoutError as error:
            raise Busy("its own connections are all in use") from error
        except (*DATABASE_ERRORS, RedisError, OSError) as error:
            if isinstance(getattr(error, "orig", error), _TIMEOUTS):
                raise _timed_out(watch) from error
            raise Unavailable(str(error)) from error

    async def cancel(self) -> None:
        """Cancel the query if it is running."""
        if self._running is not None:
            await cancelling.end(self._running, within=CANCEL_TIMEOUT)

    async def _run_in_time(self) -> T:
        async with asyncio.timeout(self._timeout):
            return await self._run()
