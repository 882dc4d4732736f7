import asyncio
from types import SimpleNamespace

import pytest

from app.core.redis.rate_limits import LocalRateLimiter
from harness.timing import limit
from tests import virtual_time


@pytest.fixture(autouse=True)
def _virtual_clock(monkeypatch):
    """The limiter reads the event loop's time, which no other load on the machine changes."""
    clock = SimpleNamespace(monotonic=now, monotonic_ns=lambda: round(now() * 1e9))
    monkeypatch.setattr("app.core.redis.rate_limits.time", clock)


@pytest.fixture
def limiter():
    return LocalRateLimiter(window=0)


def now():
    return asyncio.get_running_loop().time()


async def moments(limiter, rate, count, budget="b"):
    """When each of ``count`` callers, who all wait at once, was let through."""
    passed = []

    async def caller():
        await limiter.acquire(budget, rate)
        passed.append(now())

    await asyncio.gather(*(caller() for _ in range(count)))
    return passed


def test_no_second_has_more_requests_than_the_rate(limiter):
    passed = virtual_time.run(moments(limiter, 50, 170))
    assert all(later - earlier > 1 for earlier, later in zip(passed, passed[50:], strict=False))


def test_nearly_all_of_the_rate_is_used(limiter):
    passed = virtual_time.run(moments(limiter, 100, 100))
    assert passed[-1] - passed[0] < 1 / 0.93


def test_the_first_request_waits_a_window_because_an_earlier_process_may_have_sent_some():
    async def first():
        start = now()
        await LocalRateLimiter(window=20).acquire("b", 1000)
        return now() - start

    assert virtual_time.run(first()) >= 20


def test_an_idle_budget_saves_nothing_up(limiter):
    async def after_a_rest():
        await limiter.acquire("b", 20)
        await asyncio.sleep(20)
        return await moments(limiter, 20, 4)

    first, *_, last = virtual_time.run(after_a_rest())
    assert last - first > 3 / 20


def test_a_pause_holds_callers_that_already_wait(limiter):
    async def paused():
        await limiter.acquire("b", 10)
        waiting = asyncio.create_task(moments(limiter, 10, 1))
        await asyncio.sleep(0)
        start = now()
        await limiter.pause("b", 3)
        [passed] = await waiting
        return passed - start

    assert virtual_time.run(paused()) >= 3


def test_a_shorter_pause_does_not_end_a_longer_one(limiter):
    async def paused_twice():
        start = now()
        await limiter.pause("b", 2)
        await limiter.pause("b", 0)
        await limiter.acquire("b", 1000)
        return now() - start

    assert virtual_time.run(paused_twice()) >= 2


def test_a_cancelled_caller_wastes_one_slot_and_delays_no_other_caller(limiter):
    async def with_one_that_leaves():
        await limiter.acquire("b", 20)
        cancelled = asyncio.create_task(limiter.acquire("b", 20))
        start = now()
        others = asyncio.create_task(moments(limiter, 20, 2))
        await asyncio.sleep(0)
        cancelled.cancel()
        passed = await others
        assert cancelled.cancelled()
        return passed[-1] - start

    assert 3 / 20 <= virtual_time.run(with_one_that_leaves()) < 4 / 20


def test_a_late_request_moves_the_slots_after_it(limiter):
    async def held_up():
        await limiter.acquire("b", 10)
        late = asyncio.create_task(moments(limiter, 10, 1))
        await asyncio.sleep(0)
        # the process is busy when the slot comes
        virtual_time.busy(0.17)
        [sent] = await late
        [following] = await moments(limiter, 10, 1)
        return following - sent

    assert virtual_time.run(held_up()) > 0.09


async def test_budgets_do_not_delay_each_other(limiter):
    await limiter.pause("other", 1_000_000)
    async with limit():
        await limiter.acquire("b", 10)


async def test_a_rate_may_be_below_one_request_a_second(limiter):
    await limiter.acquire("b", 0.5)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await limiter.acquire("b", 0.5)


@pytest.mark.parametrize("rate", [0, -1, float("nan")])
async def test_a_rate_that_is_not_above_0_is_refused(limiter, rate):
    with pytest.raises(ValueError, match="above 0"):
        await limiter.acquire("b", rate)
