"""Request budgets: one for each upstream host and key, shared by all who spend it.

A service that allows R requests in any second counts them as they arrive, so what is sent must be
spread evenly and a little under R: 11 requests at the full rate of 10/s span exactly one second,
and a millisecond's delay of the first turns one of them into a 429. :data:`PACE` leaves 36 ms.

Each request takes the budget's next slot and sleeps until it; what is asked for is a place in the
row, never "may I now?", so there is no polling and nobody is passed over. On waking the slot is
confirmed: a pause that began meanwhile is obeyed, and a request that goes out late moves the slots
behind it, because its own second now ends later.

What stands in Redis is not trusted, as others can write there. Each process also keeps a count of
its own, so that no content of Redis raises what is sent above the rate times the number of
processes; and a request that Redis would hold up for long goes by that count alone.
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

logger = logging.getLogger(__name__)

PACE = 0.965
"""The share of the allowed rate that is used."""

WINDOW = 1.0
"""Seconds over which a service counts; also the wait when it is not known what was sent before."""

SLACK = 0.010
"""Seconds a request may be late without the slots behind it being moved."""

LEEWAY = 2 * SLACK
"""Seconds by which a request may precede its place in this process' own count: it came late
before, and Redis spreads evenly. It is less than what :data:`PACE` leaves."""

LONGEST_PAUSE = 3_600.0
"""Seconds; a pause that is further away comes from a clock that was set back, and is dropped."""

LONGEST_HOLD = 5 * WINDOW
"""Seconds for which what stands in Redis may hold a request up, unless the row is longer."""

LONGEST_ROW = 32
"""Processes whose requests may stand in the row of one budget, one each."""

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
"""Reads a budget that anybody may have written: no `next` without a whole number of microseconds,
and -1 for a pause that is none. A key that is no hash is not ours, and is removed."""

_TAKE = (
    _READ
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
end
redis.call('HSET', KEYS[1], 'next', string.format('%.0f', next),
  'paused', string.format('%.0f', paused))
redis.call('EXPIRE', KEYS[1], 86400)
return {string.format('%.0f', slot), math.max(0, slot - now)}
"""
)
"""Takes a slot, or confirms the one given as the last argument; in microseconds of Redis' clock.

A whole window is let pass when it is not known what was sent before: without a state that can be
read, when the next slot is so far off that the clock must have been set back, and on a server up
for less than two seconds (it counts whole ones), which with `appendfsync everysec` may lack what
came last.
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
    """Says when a request may be sent. A *budget* is named after a host and a digest of its key."""

    async def acquire(self, budget: str, rate: float) -> None:
        """Return when one request may be sent.

        Args:
            budget: what the requests are counted against.
            rate: how many the service allows in any window of one second; may be below 1.

        Raises:
            Wait: the budget cannot be reached.
        """
        ...

    async def pause(self, budget: str, seconds: float) -> None:
        """Let nobody who shares the budget send for so many seconds (at most an hour).

        Raises:
            Wait: the budget cannot be reached.
        """
        ...


class _Paced(ABC):
    """What the two limiters share: callers of one process take their turns in order.

    One slot a process is outstanding at a time, so that a cancelled caller loses one slot at most,
    and what is reserved ahead stays short enough for a late request to move it.
    """

    def __init__(self) -> None:
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def acquire(self, budget: str, rate: float) -> None:
        """See :meth:`RateLimiter.acquire`."""
        if not rate > 0:
            message = f"a rate is above 0, not {rate}"
            raise ValueError(message)
        interval = 1 / (rate * PACE)
        async with self._turns[budget]:
            started = time.monotonic()
            slot, wait = await self._take(budget, interval, None)
            while (until := self._until(budget, interval, started, wait)) > time.monotonic():
                await asyncio.sleep(until - time.monotonic())
                slot, wait = await self._take(budget, interval, slot)
            self._goes(budget, interval)

    def _until(self, budget: str, interval: float, started: float, wait: float) -> float:
        """Return when the request may go, by the monotonic clock, if its slot is ``wait`` away."""
        del budget, interval, started
        return time.monotonic() + wait

    def _goes(self, budget: str, interval: float) -> None:  # noqa: B027 - a slot may count it
        """Count a request that goes out now."""

    @abstractmethod
    async def _take(self, budget: str, interval: float, slot: int | None) -> tuple[int, float]:
        """Take the next slot, or confirm ``slot``; return it and the seconds until it."""


class RedisRateLimiter(_Paced):
    """A budget shared by every process that uses the same Redis, and timed by its clock.

    throttled-py 3.5, pyrate-limiter 4.5 and limits 5.8 were measured and do not hold our numbers
    (`backend/bench/rate.py`). Besides, none can tell a budget that was lost from one that lay idle,
    none has a pause for all, and the last two go by the clocks of the machines.

    Args:
        redis: the client; it is not closed here.
        outage_timeout: seconds to try while Redis is away before giving up.
        call_timeout: seconds that one call may take.
    """

    def __init__(
        self, redis: Redis, *, outage_timeout: float = 60.0, call_timeout: float = 5.0
    ) -> None:
        super().__init__()
        self._take_script = redis.register_script(_TAKE)
        self._pause_script = redis.register_script(_PAUSE)
        self._outage_timeout = outage_timeout
        self._call_timeout = call_timeout
        # by the monotonic clock: when this process' own count has room, and its own pauses end
        self._free: defaultdict[str, float] = defaultdict(float)
        self._paused: defaultdict[str, float] = defaultdict(float)
        self._distrusted: set[str] = set()

    async def pause(self, budget: str, seconds: float) -> None:
        """See :meth:`RateLimiter.pause`.

        The processes that were not told by the service itself obey for :data:`LONGEST_HOLD`; then
        they ask it, and are told.
        """
        seconds = min(seconds, LONGEST_PAUSE)
        self._paused[budget] = max(self._paused[budget], time.monotonic() + seconds)
        arguments = [round(value * 1e6) for value in (seconds, LONGEST_PAUSE)]
        await self._call(self._pause_script, budget, arguments)

    def _until(self, budget: str, interval: float, started: float, wait: float) -> float:
        own = max(self._free[budget] - LEEWAY, self._paused[budget])
        trusted = max(own, started) + max(LONGEST_HOLD, LONGEST_ROW * interval)
        now = time.monotonic()
        shared = now + wait
        if shared <= trusted:
            self._distrusted.discard(budget)
        elif budget in self._distrusted:
            # one request was held up for it; the next ones are not
            return own
        elif now >= trusted:
            self._distrusted.add(budget)
            logger.warning(
                "Redis would hold a request of budget %s up for %.0f s more; it is waited for no"
                " longer, and the request goes by this process' own count",
                budget,
                wait,
            )
        return max(own, min(shared, trusted))

    def _goes(self, budget: str, interval: float) -> None:
        self._free[budget] = max(self._free[budget], time.monotonic()) + interval

    async def _take(self, budget: str, interval: float, slot: int | None) -> tuple[int, float]:
        seconds = (interval, WINDOW, SLACK, LONGEST_PAUSE)
        arguments = [*(round(value * 1e6) for value in seconds), LONGEST_ROW, slot or 0]
        taken, wait = await self._call(self._take_script, budget, arguments)
        return int(taken), int(wait) / 1e6

    async def _call(self, script: AsyncScript, budget: str, arguments: Sequence[int]) -> Any:
        """Run a script; when Redis is away, again and again until the patience is used up."""
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
                    "Redis cannot be asked for %s's budget (%s), again in %.1f s",
                    budget,
                    type(error).__name__,
                    delay,
                )
            await asyncio.sleep(delay * random.uniform(0.5, 1))  # noqa: S311 # spreads the retries
            delay = min(delay * 2, 5)


class LocalRateLimiter(_Paced):
    """A budget of one process, for when it alone executes runs.

    Args:
        window: seconds before a budget's first request: what the process before this one sent in
            its last second is not known here.
    """

    def __init__(self, *, window: float = WINDOW) -> None:
        super().__init__()
        self._window = window
        self._next: dict[str, int] = {}
        self._paused: defaultdict[str, int] = defaultdict(int)

    async def pause(self, budget: str, seconds: float) -> None:
        """See :meth:`RateLimiter.pause`."""
        until = time.monotonic_ns() + round(min(seconds, LONGEST_PAUSE) * 1e9)
        self._paused[budget] = max(self._paused[budget], until)

    async def _take(self, budget: str, interval: float, slot: int | None) -> tuple[int, float]:
        now = time.monotonic_ns()
        paused = self._paused[budget]
        free = self._next.get(budget, now + round(self._window * 1e9))
        late = (now - slot) / 1e9 if slot else 0.0
        if slot and slot >= paused and late <= max(interval, SLACK):
            self._next[budget] = free + round(max(0.0, late - SLACK) * 1e9)
        else:
            slot = max(now, free, paused)
            self._next[budget] = slot + round(interval * 1e9)
        return slot, max(0.0, (slot - now) / 1e9)
