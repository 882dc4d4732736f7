"""Reads how much of the request budgets is in use, without changing them."""

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from redis.asyncio import Redis
from redis.exceptions import RedisError

from app.core.redis.rate_limits import (
    KEY,
    MAX_DELAY,
    MAX_PAUSE,
    MAX_QUEUE,
    USED_SHARE,
    LocalRateLimiter,
)
from app.core.redis.slot_counts import COUNTED_SECONDS, FIELDS, SlotCounts

logger = logging.getLogger(__name__)

READ_TIMEOUT = 1.0
"""Seconds to wait for Redis. Nothing depends on its reply."""

PAUSE_AFTER_FAILURE = 5.0
"""Seconds without further requests to Redis after it did not reply."""

MAX_AGE = 0.25
"""Seconds for which a result is cached. The pages read the budgets twice a second for each role of
their viewers, and whenever somebody opens a page."""

_DIGITS = 16


@dataclass(frozen=True, slots=True)
class Budget:
    """A request budget.

    Attributes:
        name: see `Host.budget`.
        rate: requests per second that the service allows.
    """

    name: str
    rate: float


@dataclass(frozen=True, slots=True)
class Use:
    """How much of a budget is in use.

    Attributes:
        used: the estimated share of the slots of the last :data:`PERIOD` seconds that were used,
            from 0 to 1.
        wait: seconds that a request would wait for a slot now.
        paused: remaining seconds of the pause that the service has requested.
    """

    used: float = 0.0
    wait: float = 0.0
    paused: float = 0.0


class Budgets(Protocol):
    """Reads the budgets that processes share."""

    async def read(self, budgets: Sequence[Budget]) -> list[Use] | None:
        """Return how much of each budget is in use; None if Redis does not reply."""
        ...


class RedisBudgets:
    """Reads the budgets of the arq workers, in one round trip whatever their number.

    Args:
        redis: the client; it is not closed here.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._again_at = 0.0
        self._kept: tuple[float, Sequence[Budget], list[Use]] | None = None

    async def read(self, budgets: Sequence[Budget]) -> list[Use] | None:
        """See :meth:`Budgets.read`."""
        if self._kept and self._kept[0] > time.monotonic() and self._kept[1] == budgets:
            return self._kept[2]
        if time.monotonic() < self._again_at:
            return None
        try:
            async with asyncio.timeout(READ_TIMEOUT):
                # no transaction, because the budgets are independent of each other
                async with self._redis.pipeline(transaction=False) as pipe:
                    pipe.time()
                    for budget in budgets:
                        pipe.hmget(KEY.format(budget.name), ["next", "paused", *FIELDS])
                    (seconds, micros), *states = await pipe.execute(raise_on_error=False)
        except (RedisError, OSError, TypeError) as error:
            # the TypeError: if Redis refuses TIME, the reply is an error instead of a pair
            self._again_at = time.monotonic() + PAUSE_AFTER_FAILURE
            logger.warning(
                "the request budgets cannot be read from Redis; next attempt in %g s: %s",
                PAUSE_AFTER_FAILURE,
                error or "no answer",
            )
            return None
        now = seconds * 1_000_000 + micros
        found = [use_of(budget, state, now) for budget, state in zip(budgets, states, strict=True)]
        self._kept = time.monotonic() + MAX_AGE, budgets, found
        return found


class LocalBudgets:
    """Reads the budgets of this process, which executes runs itself.

    Args:
        limiter: the limiter that keeps the budgets.
    """

    def __init__(self, limiter: LocalRateLimiter) -> None:
        self._limiter = limiter

    async def read(self, budgets: Sequence[Budget]) -> list[Use] | None:
        """See :meth:`Budgets.read`."""
        return [_use(budget, *self._limiter.peek(budget.name)) for budget in budgets]


def use_of(budget: Budget, state: Any, now: int) -> Use:
    """Return how much of a budget is in use. An invalid state counts as unused.

    Args:
        budget: the budget.
        state: the fields of its hash, or an error. Other programs may have written them.
        now: the time by Redis' clock, in microseconds.
    """
    if not isinstance(state, list):
        return Use()
    following, paused, *counts = (_number(value) for value in state)
    return _use(budget, following, paused, SlotCounts(*counts), now)


def _use(budget: Budget, following: int, paused: int, counts: SlotCounts, now: int) -> Use:
    interval = 1 / (budget.rate * USED_SHARE)
    wait = max(0.0, (following - now) / 1e6)
    pause = max(0.0, (paused - now) / 1e6)
    if wait > max(MAX_DELAY, MAX_QUEUE * interval):
        wait = 0.0  # implausible: no process would wait for that long
    if pause > MAX_PAUSE:
        pause = 0.0
    used = min(1.0, counts.recent(now) * interval / COUNTED_SECONDS)
    return Use(round(used, 3), round(max(wait, pause), 3), round(pause, 3))


def _number(value: Any) -> int:
    known = isinstance(value, bytes) and len(value) <= _DIGITS and value.isdigit()
    return int(value) if known else 0
