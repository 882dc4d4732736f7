"""Request budgets: one per upstream host and key, shared by all processes that use it.

A service that allows R requests in any second counts them as they arrive. So requests are spread
evenly, at a rate a little below R. At the full rate of 10/s, 11 requests span exactly one second,
and if the first one arrives a millisecond late, the service answers one of them with 429.
:data:`USED_SHARE` leaves a margin of 36 ms.

Each request takes the budget's next slot, which is a point in time, and sleeps until then. So
nothing polls, and requests are sent in the order in which they came. At that time the slot is
confirmed: if a pause began meanwhile, the request waits for its end; and if the request is late,
the following slots are moved, because the second that it counts in now ends later.

The content of Redis is not trusted, because other programs can write there. Each process also keeps
a count of its own and stays below the rate, whatever Redis contains. A request that Redis would
delay for implausibly long follows the process's own count alone.
"""

import asyncio
import logging
import random
import time
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Protocol

from redis.asyncio import Redis
from redis.commands.core import AsyncScript
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from app.core.errors import Wait
from app.core.redis.retry import is_unavailable
from app.core.redis.slot_counts import COUNT, SlotCounts

logger = logging.getLogger(__name__)

USED_SHARE = 0.965
"""The share of the allowed rate that is used."""

WINDOW = 1.0
"""Seconds over which a service counts. After Redis has lost its state, requests wait this long."""

MAX_LATENESS = 0.010
"""Seconds that a request may be late without moving the slots after it."""

LEEWAY = 2 * MAX_LATENESS
"""Seconds by which a request may precede its slot in the process's own count. Redis spreads
requests evenly, so the request after a late one comes early. The value is below the margin that
:data:`USED_SHARE` leaves."""

MAX_PAUSE = 3_600.0
"""Seconds. A pause that ends later is due to a clock that was set back, and is ignored."""

MAX_DELAY = 5 * WINDOW
"""Seconds for which Redis may delay a request, unless :data:`MAX_QUEUE` slots take longer."""

MAX_QUEUE = 32
"""The number of processes that may wait for a slot of one budget, each with one request."""

KEY = "kidney_genetics:rate:{}"

_READ = """
local function moment(value)
  if type(value) ~= 'string' or #value > 16 or not string.match(value, '^%d+$') then return nil end
  return tonumber(value)
end
local function read(key)
  local state = redis.pcall('HMGET', key, 'next', 'paused')
  if state.err then
    if not string.match(state.err, 'WRONGTYPE') then return nil, nil, state end
    redis.call('DEL', key)
    return nil, nil
  end
  return moment(state[1]), state[2] and (moment(state[2]) or -1) or 0
end
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
"""
"""Reads a budget, which other programs may have written. `next` is nil and `paused` is -1 if the
value is not a whole number of microseconds. A key that is not a hash is removed."""

_TAKE = (
    _READ
    + COUNT
    + """
local interval, window, slack = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local longest, row, slot = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local next, paused, failure = read(KEYS[1])
if failure then return failure end
paused = paused or 0
local uptime = tonumber(string.match(redis.call('INFO', 'server'), 'uptime_in_seconds:(%d+)'))
if paused > now + longest then paused = 0 end
local known = next and paused >= 0 and uptime >= 2
  and next <= math.max(now, paused) + window + row * interval
if not known then next, paused = now, math.max(paused, now + window) end
local late = now - slot
if known and slot > 0 and slot >= paused and late <= math.max(interval, slack) then
  next = next + math.max(0, late - slack)
else
  slot = math.max(now, next, paused)
  next = slot + interval
  count(KEYS[1], slot)
end
redis.call('HSET', KEYS[1], 'next', string.format('%.0f', next),
  'paused', string.format('%.0f', paused))
redis.call('EXPIRE', KEYS[1], 86400)
return {string.format('%.0f', slot), math.max(0, slot - now)}
"""
)
"""Takes a slot, or confirms the slot in the last argument. Times are microseconds of Redis' clock.

The script waits a whole window if it cannot know which requests were sent before. That is the case

- if the state is missing or unreadable,
- if the next slot is so far ahead that the clock must have been set back,
- if the server has been up for less than two seconds (it counts whole seconds): with `appendfsync
  everysec` it may have lost the last second.
"""

_PAUSE = (
    _READ
    + """
local next, paused, failure = read(KEYS[1])
if failure then return failure end
local until_ = now + tonumber(ARGV[1])
paused = paused or 0
if paused > now + tonumber(ARGV[2]) then paused = 0 end
redis.call('HSET', KEYS[1], 'paused', string.format('%.0f', math.max(paused, until_)))
redis.call('EXPIRE', KEYS[1], 86400)
"""
)


class RateLimiter(Protocol):
    """Decides when a request may be sent. A budget's name consists of a host and a key's digest."""

    async def acquire(self, budget: str, rate: float) -> None:
        """Wait until one request may be sent.

        Args:
            budget: the name of the budget.
            rate: requests that the service allows in any second; may be below 1.

        Raises:
            Wait: the budget cannot be reached.
        """
        ...

    async def pause(self, budget: str, seconds: float) -> None:
        """Pause all requests of a budget in every process.

        Args:
            budget: the name of the budget.
            seconds: the length of the pause, of which at most an hour counts.

        Raises:
            Wait: the budget cannot be reached.
        """
        ...


class _Paced(ABC):
    """The common part of the two limiters: the callers in one process take turns, in order.

    A process holds one slot at a time. So a cancelled caller wastes at most one slot, and a late
    request has only a few reserved slots to move.
    """

    def __init__(self) -> None:
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def acquire(self, budget: str, rate: float) -> None:
        """See :meth:`RateLimiter.acquire`."""
        if not rate > 0:
            message = f"a rate must be above 0, not {rate}"
            raise ValueError(message)
        interval = 1 / (rate * USED_SHARE)
        async with self._turns[budget]:
            started = time.monotonic()
            slot, wait = await self._take(budget, interval, None)
            while (until := self._until(budget, interval, started, wait)) > time.monotonic():
                await asyncio.sleep(until - time.monotonic())
                slot, wait = await self._take(budget, interval, slot)
            self._count(budget, interval)

    def _until(self, budget: str, interval: float, started: float, wait: float) -> float:
        """Return the time when the request may be sent, by the monotonic clock.

        Args:
            budget: the name of the budget.
            interval: seconds between two slots.
            started: the time when the request began to wait.
            wait: seconds until the slot of the request.
        """
        del budget, interval, started
        return time.monotonic() + wait

    def _count(self, budget: str, interval: float) -> None:  # noqa: B027 - optional for a limiter
        """Count a request that is sent now."""

    @abstractmethod
    async def _take(self, budget: str, interval: float, slot: int | None) -> tuple[int, float]:
        """Take the next slot, or confirm ``slot``. Return the slot and the seconds until then."""


class RedisRateLimiter(_Paced):
    """Keeps budgets in Redis for all processes that use it, and measures time by Redis' clock.

    throttled-py 3.5, pyrate-limiter 4.5 and limits 5.8 exceeded the limits when measured
    (`backend/bench/rate.py`). Moreover, none of them detects that Redis has lost a budget, none
    can pause all processes, and the last two measure time by the clocks of the machines.

    Args:
        redis: the client; it is not closed here.
        outage_timeout: seconds of retries while Redis is unavailable before the limiter gives up.
        call_timeout: the timeout of one call in seconds.
    """

    def __init__(
        self, redis: Redis, *, outage_timeout: float = 60.0, call_timeout: float = 5.0
    ) -> None:
        super().__init__()
        self._take_script = redis.register_script(_TAKE)
        self._pause_script = redis.register_script(_PAUSE)
        self._outage_timeout = outage_timeout
        self._call_timeout = call_timeout
        # times by the monotonic clock: when this process's own count allows the next request, and
        # when the pauses that this process has started end
        self._free: defaultdict[str, float] = defaultdict(float)
        self._paused: defaultdict[str, float] = defaultdict(float)
        self._distrusted: set[str] = set()

    async def pause(self, budget: str, seconds: float) -> None:
        """See :meth:`RateLimiter.pause`.

        The other processes read the pause from Redis, so they obey it for at most
        :data:`MAX_DELAY`. Then they send a request, and the service itself asks them to wait.
        """
        seconds = min(seconds, MAX_PAUSE)
        self._paused[budget] = max(self._paused[budget], time.monotonic() + seconds)
        arguments = [round(value * 1e6) for value in (seconds, MAX_PAUSE)]
        await self._call(self._pause_script, budget, arguments)

    def _until(self, budget: str, interval: float, started: float, wait: float) -> float:
        own = max(self._free[budget] - LEEWAY, self._paused[budget])
        trusted = max(own, started) + max(MAX_DELAY, MAX_QUEUE * interval)
        now = time.monotonic()
        shared = now + wait
        if shared <= trusted:
            self._distrusted.discard(budget)
        elif budget in self._distrusted:
            # an earlier request has already waited for this delay; further requests do not
            return own
        elif now >= trusted:
            self._distrusted.add(budget)
            logger.warning(
                "Redis would delay a request of budget %s for another %.0f s, which is not"
                " plausible; this process now follows its own count",
                budget,
                wait,
            )
        return max(own, min(shared, trusted))

    def _count(self, budget: str, interval: float) -> None:
        self._free[budget] = max(self._free[budget], time.monotonic()) + interval

    async def _take(self, budget: str, interval: float, slot: int | None) -> tuple[int, float]:
        seconds = (interval, WINDOW, MAX_LATENESS, MAX_PAUSE)
        arguments = [*(round(value * 1e6) for value in seconds), MAX_QUEUE, slot or 0]
        taken, wait = await self._call(self._take_script, budget, arguments)
        return int(taken), int(wait) / 1e6

    async def _call(self, script: AsyncScript, budget: str, arguments: Sequence[int]) -> Any:
        """Run a script. While Redis is unavailable, retry until the outage timeout expires."""
        deadline = time.monotonic() + self._outage_timeout
        delay = 0.1
        while True:
            try:
                async with asyncio.timeout(self._call_timeout):
                    return await script(keys=[KEY.format(budget)], args=arguments)
            except (RedisConnectionError, RedisTimeoutError, TimeoutError, ResponseError) as error:
                if not is_unavailable(error):
                    raise
                if time.monotonic() + delay > deadline:
                    raise Wait("redis", 30) from error
                logger.warning(
                    "Redis is unavailable for the request budget %s (%s); retrying in %.1f s",
                    budget,
                    type(error).__name__,
                    delay,
                )
            await asyncio.sleep(delay * random.uniform(0.5, 1))  # noqa: S311 - spreads the retries
            delay = min(delay * 2, 5)


class LocalRateLimiter(_Paced):
    """Keeps budgets in this process, if no other process executes runs.

    Args:
        window: seconds to wait before the first request of a budget, because a former process may
            have sent requests just before.
    """

    def __init__(self, *, window: float = WINDOW) -> None:
        super().__init__()
        self._window = window
        self._next: dict[str, int] = {}
        self._paused: defaultdict[str, int] = defaultdict(int)
        self._counts: defaultdict[str, SlotCounts] = defaultdict(SlotCounts)

    def peek(self, budget: str) -> tuple[int, int, SlotCounts, int]:
        """Return the next slot of a budget, the end of its pause, its counts, and the current time.

        The times are microseconds of the monotonic clock. This does not change the budget.
        """
        return (
            self._next.get(budget, 0) // 1_000,
            self._paused.get(budget, 0) // 1_000,
            self._counts.get(budget, SlotCounts()),
            time.monotonic_ns() // 1_000,
        )

    async def pause(self, budget: str, seconds: float) -> None:
        """See :meth:`RateLimiter.pause`."""
        until = time.monotonic_ns() + round(min(seconds, MAX_PAUSE) * 1e9)
        self._paused[budget] = max(self._paused[budget], until)

    async def _take(self, budget: str, interval: float, slot: int | None) -> tuple[int, float]:
        now = time.monotonic_ns()
        paused = self._paused[budget]
        free = self._next.get(budget, now + round(self._window * 1e9))
        late = (now - slot) / 1e9 if slot else 0.0
        if slot and slot >= paused and late <= max(interval, MAX_LATENESS):
            self._next[budget] = free + round(max(0.0, late - MAX_LATENESS) * 1e9)
        else:
            slot = max(now, free, paused)
            self._next[budget] = slot + round(interval * 1e9)
            self._counts[budget] = self._counts[budget].plus(slot // 1_000)
        return slot, max(0.0, (slot - now) / 1e9)
