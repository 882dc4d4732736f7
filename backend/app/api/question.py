import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from psycopg.errors import ConnectionTimeout
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from app.api.errors import Busy
from app.core.errors import KidneyGeneticsError
from app.core.postgres.away import LOST_DATABASE
from app.core.process.loop_watch import LoopWatch
from app.core.workers import cancelling

T = TypeVar("T")

PATIENCE = 3.0
"""Seconds that a server has to answer. Prometheus itself waits for 10 s, and the container's
healthcheck for 4 s."""

GIVE_UP = 10.0
"""Seconds after which a question that is not answered is asked anew, on another connection."""

FAREWELL = 2.0
"""Seconds that a question that is dropped gets to notice it."""


class Away(KidneyGeneticsError):
    """A service does not answer, or refuses to, and that is no fault of this process."""


_TIMEOUTS = (TimeoutError, RedisTimeoutError, ConnectionTimeout)


def _no_answer(watch: LoopWatch) -> Busy | Away:
    if watch.on_time:
        return Away("no answer in time")
    return Busy(f"its event loop was late by {watch.lost:.1f} s")


class Question(Generic[T]):
    """Is asked once at a time: whoever asks while it is under way waits for the same answer.

    However many ask, one connection is enough, and none has to wait for another's.

    Args:
        ask: gets the answer.
    """

    def __init__(self, ask: Callable[[], Awaitable[T]]) -> None:
        self._ask = ask
        self._asking: asyncio.Task[T] | None = None

    async def answer(self) -> T:
        """Return the answer.

        Raises:
            Away: there is none in time, or it is an error.
            Busy: there is none in time, and this process was too busy to see one.
        """
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._in_time())
            # it may end when nobody waits for it any more
            self._asking.add_done_callback(lambda task: task.cancelled() or task.exception())
        asking = self._asking
        async with LoopWatch() as watch:
            await asyncio.wait({asking}, timeout=PATIENCE)
        if not asking.done():
            raise _no_answer(watch)
        try:
            return asking.result()
        except PoolTimeoutError as error:
            raise Busy("its own connections are all in use") from error
        except (*LOST_DATABASE, RedisError, OSError) as error:
            if isinstance(getattr(error, "orig", error), _TIMEOUTS):
                raise _no_answer(watch) from error
            raise Away(str(error)) from error

    async def drop(self) -> None:
        """Do not wait for the answer any longer."""
        if self._asking is not None:
            await cancelling.end(self._asking, within=FAREWELL)

    async def _in_time(self) -> T:
        async with asyncio.timeout(GIVE_UP):
            return await self._ask()
