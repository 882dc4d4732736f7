import asyncio
import time
from types import SimpleNamespace

import pytest

from app.core.redis.rate_limits import LocalRateLimiter
from tests import virtual_time


@pytest.fixture
def limiter():
    return LocalRateLimiter(window=0)


async def moments(limiter, rate, count, budget="b"):
    """When each of so many callers, waiting all at once, was let through."""
    passed = []

    async def caller():
        await limiter.acquire(budget, rate)
        passed.append(asyncio.get_running_loop().time())

    await asyncio.gather(*(caller() for _ in range(count)))
    return passed


async def test_no_second_holds_more_than_the_rate(limiter):
    passed = await moments(limiter, 50, 70)
    assert all(later - earlier > 1 for earlier, later in zip(passed, passed[50:], strict=False))


def test_nearly_all_of_the_rate_is_used(limiter, monkeypatch):
    def now():
        return asyncio.get_running_loop().time()

    clock = SimpleNamespace(monotonic=now, monotonic_ns=lambda: round(now() * 1e9))
    monkeypatch.setattr("app.core.redis.rate_limits.time", clock)
    passed = virtual_time.run(moments(limiter, 100, 100))
    assert passed[-1] - passed[0] < 1 / 0.93


async def test_the_first_request_waits_a_window_because_an_earlier_process_may_have_sent():
    start = time.monotonic()
    await LocalRateLimiter(window=0.2).acquire("b", 1000)
    assert time.monotonic() - start >= 0.2


async def test_nothing_is_saved_up_while_idle(limiter):
    await limiter.acquire("b", 20)
    await asyncio.sleep(0.2)
    first, *_, last = await moments(limiter, 20, 4)
    assert last - first > 3 / 20


async def test_a_pause_holds_those_who_already_wait(limiter):
    await limiter.acquire("b", 10)
    waiting = asyncio.create_task(moments(limiter, 10, 1))
    await asyncio.sleep(0)
    start = time.monotonic()
    await limiter.pause("b", 0.3)
    [passed] = await waiting
    assert passed - start >= 0.3


async def test_a_shorter_pause_does_not_end_a_longer_one(limiter):
    start = time.monotonic()
    await limiter.pause("b", 0.2)
    await limiter.pause("b", 0)
    await limiter.acquire("b", 1000)
    assert time.monotonic() - start >= 0.2


async def test_a_cancelled_caller_loses_one_slot_and_holds_up_nobody(limiter):
    await limiter.acquire("b", 20)
    cancelled = asyncio.create_task(limiter.acquire("b", 20))
    start = time.monotonic()
    others = asyncio.create_task(moments(limiter, 20, 2))
    await asyncio.sleep(0)
    cancelled.cancel()
    assert (await others)[-1] - start < 0.5
    assert cancelled.cancelled()


async def test_a_late_request_moves_those_behind_it(limiter):
    await limiter.acquire("b", 10)
    late = asyncio.create_task(moments(limiter, 10, 1))
    await asyncio.sleep(0)
    time.sleep(0.17)  # noqa: ASYNC251 # the process is busy when the slot comes
    [sent] = await late
    [following] = await moments(limiter, 10, 1)
    assert following - sent > 0.09


async def test_budgets_do_not_hold_each_other_up(limiter):
    await limiter.pause("other", 60)
    async with asyncio.timeout(5):
        await limiter.acquire("b", 10)


async def test_rates_below_one_a_second(limiter):
    await limiter.acquire("b", 0.5)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await limiter.acquire("b", 0.5)


@pytest.mark.parametrize("rate", [0, -1, float("nan")])
async def test_a_rate_that_is_none_is_refused(limiter, rate):
    with pytest.raises(ValueError, match="above 0"):
        await limiter.acquire("b", rate)
