"""Sends the doctor's requests: without retries, and within the workers' request budget."""

import asyncio
import contextlib
from typing import Self

from redis.exceptions import RedisError

from app.annotation.sources.connector import Connector
from app.annotation.upstream import Retries
from app.core.errors import Wait
from app.core.redis.rate_limits import KEY, LocalRateLimiter, RateLimiter, RedisRateLimiter
from app.doctor.context import SERVER_TIMEOUT, Context

BUDGET_SECONDS = 1.5
"""Maximum wait of one check for a request budget, which the workers use too, in seconds."""

REDIS_SECONDS = 0.5
"""Maximum wait for Redis, in seconds. If Redis does not answer, the request is sent anyway."""


class Busy(Wait):
    """The workers use the whole request budget, or it is paused."""

    def __init__(self, budget: str) -> None:
        super().__init__(budget, 60, "its request budget is used up or paused")


class _Budgets:
    """The workers' own budgets, so that the doctor's requests do not exceed them.

    Attributes:
        waited: the time that the requests of one check have waited for a budget, in seconds.
    """

    def __init__(self, context: Context) -> None:
        self.waited = 0.0
        self._redis = context.redis()
        self._patience = context.within(REDIS_SECONDS)
        self._limiter = RedisRateLimiter(
            self._redis, outage_timeout=self._patience, call_timeout=self._patience
        )

    async def acquire(self, budget: str, rate: float) -> None:
        """Wait until the budget allows a request, for at most :data:`BUDGET_SECONDS` in total.

        If the budget has no state in Redis, no worker has used it for a day, and a worker that
        starts using it first waits for a whole window. So one request without waiting does not
        exceed the budget. The same applies if Redis is unavailable.

        Raises:
            Busy: the budget allowed no request in time.
        """
        if not await self._has_state(budget):
            return
        clock = asyncio.get_running_loop().time
        began = clock() - self.waited
        try:
            async with asyncio.timeout(BUDGET_SECONDS - self.waited):
                await self._limiter.acquire(budget, rate)
        except TimeoutError:
            raise Busy(budget.partition(":")[0]) from None
        except (RedisError, Wait):
            return
        finally:
            self.waited = clock() - began

    async def _has_state(self, budget: str) -> bool:
        try:
            async with asyncio.timeout(self._patience):
                return bool(await self._redis.exists(KEY.format(budget)))
        except (RedisError, TimeoutError):
            return False

    async def pause(self, budget: str, seconds: float) -> None:
        """Pause the budget for all processes after a refusal, if Redis is available."""
        with contextlib.suppress(RedisError, Wait):
            await self._limiter.pause(budget, seconds)


class OneTry(Connector):
    """Connects sources to hosts without retries and with a short timeout."""

    @property
    def retries(self) -> Retries:
        """Return the retries: a single try for each kind of failure."""
        return Retries(refused=1, fault=1, cut=1, body=1)

    @property
    def waited(self) -> float:
        """The time that requests have waited for the workers' request budget, in seconds."""
        return self.limiter.waited if isinstance(self.limiter, _Budgets) else 0.0

    @classmethod
    def of(cls, context: Context) -> Self:
        """Create a connector from the settings of the context."""
        limiter: RateLimiter = LocalRateLimiter(window=0)
        if context.settings.use_arq_worker:
            limiter = _Budgets(context)
        http = context.http()
        # without it, some services return XML
        http.headers["Accept"] = "application/json"
        return cls(context.settings, limiter, http, context.within(SERVER_TIMEOUT))
