"""How the doctor asks a host: once, not for long, and within the workers' request budget."""

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
"""The longest wait for a place in a budget, which living workers use too."""

REDIS_SECONDS = 0.5
"""The longest wait for Redis. Without Redis the one request is sent all the same."""


class Busy(Wait):
    """The workers' request budget has no place for the doctor now."""

    def __init__(self, budget: str, waited: float) -> None:
        super().__init__(budget, 60)
        self._waited = waited

    def __str__(self) -> str:
        return f"the budget is in full use, or paused, for more than {self._waited:g} s"


class _Budgets:
    """The workers' own budgets, so that the doctor's request does not exceed them."""

    def __init__(self, context: Context) -> None:
        self._redis = context.redis()
        patience = context.within(REDIS_SECONDS)
        self._limiter = RedisRateLimiter(
            self._redis, outage_timeout=patience, call_timeout=patience
        )

    async def acquire(self, budget: str, rate: float) -> None:
        """Wait for a place, but not for long.

        A budget that nobody has used for a day has no state, and a worker that begins one waits
        for a whole window. One request before that does not exceed the budget. The doctor does not
        wait for a Redis that is away or refuses.

        Raises:
            Busy: there is no place.
        """
        try:
            async with asyncio.timeout(BUDGET_SECONDS):
                if await self._redis.exists(KEY.format(budget)):
                    await self._limiter.acquire(budget, rate)
        except TimeoutError:
            raise Busy(budget.partition(":")[0], BUDGET_SECONDS) from None
        except (RedisError, Wait):
            return

    async def pause(self, budget: str, seconds: float) -> None:
        """Pause the budget for everybody after a refusal, if Redis can be reached."""
        with contextlib.suppress(RedisError, Wait):
            await self._limiter.pause(budget, seconds)


class OneTry(Connector):
    """Connects sources to hosts that are asked once, and not for long."""

    @property
    def retries(self) -> Retries:
        """Return one try of each kind."""
        return Retries(refused=1, fault=1, cut=1, body=1)

    @classmethod
    def of(cls, context: Context) -> Self:
        """Connect as the settings say."""
        limiter: RateLimiter = LocalRateLimiter(window=0)
        if context.settings.use_arq_worker:
            limiter = _Budgets(context)
        http = context.http()
        # some services answer XML without it
        http.headers["Accept"] = "application/json"
        return cls(context.settings, limiter, http, context.within(SERVER_TIMEOUT))
