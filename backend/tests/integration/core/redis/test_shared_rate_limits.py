"""The budget that all workers share. Its Redis server is flushed, killed and stopped here."""

import asyncio
import time
from contextlib import asynccontextmanager

import pytest
from redis.asyncio import Redis

from app.core.errors import Wait
from app.core.redis.budgets import Budget, RedisBudgets, Use
from app.core.redis.rate_limits import RedisRateLimiter
from harness.timing import limit
from services.redis import running_redis


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running_redis(tmp_path_factory.mktemp("redis")) as server:
        yield server


KEY = "kidney_genetics:rate:b"


@asynccontextmanager
async def connected(server):
    async with Redis.from_url(server.url) as redis:
        yield redis


@pytest.fixture
async def redis(server):
    """A server that has been up for a while, with a budget ``b`` that was idle."""
    async with connected(server) as redis:
        while (await redis.info("server"))["uptime_in_seconds"] < 2:  # no event
            await asyncio.sleep(0.1)
        await redis.flushall()
        await redis.hset("kidney_genetics:rate:b", "next", 1)
        yield redis


@pytest.fixture
async def workers(server, redis):  # made ready first
    """Two limiters with a connection each, as two processes have."""
    async with connected(server) as one, connected(server) as other:
        yield RedisRateLimiter(one), RedisRateLimiter(other)


async def moments(limiters, rate, count):
    passed = []

    async def caller(limiter):
        await limiter.acquire("b", rate)
        passed.append(time.monotonic())

    await asyncio.gather(*(caller(limiters[n % len(limiters)]) for n in range(count)))
    return sorted(passed)


async def test_workers_together_send_no_more_than_the_rate_in_any_second(workers):
    passed = await moments(workers, 50, 70)
    assert all(later - earlier > 1 for earlier, later in zip(passed, passed[50:], strict=False))


async def test_an_idle_budget_saves_nothing_up(workers):
    first, _, last = await moments(workers, 4, 3)
    # two intervals, less what this process wakes up late for the first one
    assert last - first > 1 / 4


async def test_after_a_flush_a_whole_window_passes_and_requests_stay_spread(redis, workers):
    await moments(workers, 1000, 4)
    await redis.flushall()
    start = time.monotonic()
    first, second = await moments(workers, 4, 2)
    assert first - start >= 1
    # an interval, less what this process wakes up late for the first one
    assert second - first > 1 / 8


async def test_requests_that_already_wait_notice_a_flush(redis, workers):
    await moments(workers, 1, 1)
    before = await redis.hget(KEY, "next")
    waiting = asyncio.create_task(moments(workers, 1, 1))
    async with limit():
        while await redis.hget(KEY, "next") == before:
            await asyncio.sleep(0)
    await redis.flushall()
    start = time.monotonic()
    assert (await waiting)[0] - start >= 1


async def test_after_a_kill_a_whole_window_passes_because_redis_may_have_lost_a_second(
    server, workers
):
    await moments(workers, 1000, 4)
    await asyncio.to_thread(server.kill)
    sent_until = time.monotonic()
    await asyncio.to_thread(server.start)
    [passed] = await moments(workers[:1], 10, 1)
    assert passed - sent_until >= 1


async def test_a_pause_holds_every_worker_also_one_that_already_waits(redis, workers):
    await moments(workers, 2, 1)
    before = await redis.hget(KEY, "next")
    waiting = asyncio.create_task(moments(workers[:1], 2, 1))
    async with limit():
        while await redis.hget(KEY, "next") == before:
            await asyncio.sleep(0)
    start = time.monotonic()
    await workers[1].pause("b", 1)
    assert min(*(await waiting), *(await moments(workers[1:], 10, 1))) - start >= 1


async def test_a_request_waits_for_the_end_of_a_short_outage(server, redis):
    limiter = RedisRateLimiter(redis)
    await asyncio.to_thread(server.stop)
    waiting = asyncio.create_task(limiter.acquire("b", 10))
    await asyncio.sleep(0.3)
    assert not waiting.done()
    await asyncio.to_thread(server.start)
    async with limit():
        await waiting


async def test_after_a_longer_outage_the_run_waits_for_redis(server, redis):
    limiter = RedisRateLimiter(redis, outage_timeout=0.3)
    await asyncio.to_thread(server.stop)
    try:
        with pytest.raises(Wait) as caught:
            await limiter.acquire("b", 10)
        assert caught.value.what == "redis"
        with pytest.raises(Wait):
            await limiter.pause("b", 1)
    finally:
        await asyncio.to_thread(server.start)


async def test_the_run_waits_for_a_redis_that_hangs(redis):
    limiter = RedisRateLimiter(redis, outage_timeout=0.3, call_timeout=0.1)
    await redis.client_pause(2_000)
    with pytest.raises(Wait):
        await limiter.acquire("b", 10)


async def test_the_run_waits_for_a_redis_that_is_full(redis):
    limiter = RedisRateLimiter(redis, outage_timeout=0.3)
    await redis.config_set("maxmemory", 1)
    try:
        with pytest.raises(Wait):
            await limiter.acquire("b", 10)
    finally:
        await redis.config_set("maxmemory", 0)


async def test_a_clock_that_was_set_back_stops_no_request(redis, workers):
    async def set_back(seconds):
        now, _ = await redis.time()
        await redis.hset("kidney_genetics:rate:b", "next", (now + seconds) * 10**6)

    async with limit():
        await set_back(60)
        await moments(workers, 10, 2)
        await redis.hset("kidney_genetics:rate:b", "paused", 4 * 10**15)
        await moments(workers, 10, 2)


async def test_forgotten_scripts_are_loaded_again(redis, workers):
    await moments(workers, 1000, 2)
    await redis.script_flush()
    async with limit():
        await moments(workers, 1000, 2)


async def test_the_keys_of_unused_budgets_expire(redis, workers):
    await moments(workers, 1000, 1)
    assert 3_600 < await redis.ttl("kidney_genetics:rate:b") <= 86_400


async def in_microseconds(redis, seconds):
    now, _ = await redis.time()
    return (now + seconds) * 10**6


async def nothing_is_stopped(limiters):
    async with limit():
        await moments(limiters, 50, 10)


@pytest.mark.parametrize("field", ["next", "paused"])
@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "-1", "1e400", "0x7fffffff", "", "soon"])
async def test_a_budget_that_does_not_hold_numbers_stops_no_request(redis, workers, field, value):
    await redis.hset(KEY, field, value)
    await nothing_is_stopped(workers)


@pytest.mark.parametrize("kind", ["string", "list", "set", "zset", "stream"])
async def test_a_budget_of_another_type_is_replaced(redis, workers, kind):
    await redis.delete(KEY)
    await {
        "string": lambda: redis.set(KEY, "1"),
        "list": lambda: redis.lpush(KEY, "1"),
        "set": lambda: redis.sadd(KEY, "1"),
        "zset": lambda: redis.zadd(KEY, {"1": 1}),
        "stream": lambda: redis.xadd(KEY, {"1": 1}),
    }[kind]()
    await workers[0].pause("b", 0)
    await nothing_is_stopped(workers)
    assert await redis.type(KEY) == b"hash"


async def test_a_pause_in_redis_alone_stops_requests_for_a_few_windows(redis, workers):
    await redis.hset(KEY, "paused", await in_microseconds(redis, 3_000))
    await redis.hset(KEY, "next", await in_microseconds(redis, 3_000))
    async with limit():
        await moments(workers, 50, 2)
        # the first request was delayed; further ones are not
        await moments(workers, 50, 20)


async def test_a_budget_that_is_moved_ahead_again_and_again_stops_no_request(redis, workers):
    async def push():
        while True:
            await redis.hset(KEY, "next", await in_microseconds(redis, 2))
            await asyncio.sleep(0.05)

    pushing = asyncio.create_task(push())
    async with limit():
        await moments(workers, 50, 2)
    pushing.cancel()


@pytest.mark.parametrize("written", [{"next": 0}, {"next": 0, "paused": 0}, None])
async def test_each_process_stays_below_the_rate_whatever_redis_returns(redis, workers, written):
    """The budget is reset or deleted all the time."""

    async def reset():
        while True:
            if written is None:
                await redis.delete(KEY)
            else:
                await redis.hset(KEY, mapping=written)

    resetting = asyncio.create_task(reset())
    rate, passed = 20, []

    async def caller(limiter):
        while True:
            await limiter.acquire("b", rate)
            passed.append(time.monotonic())

    callers = [asyncio.create_task(caller(limiter)) for limiter in workers]
    async with limit():
        while len(passed) < (4 if written is None else 3 * rate):
            await asyncio.sleep(0.01)
    for task in (resetting, *callers):
        task.cancel()
    most = rate * len(workers)
    assert all(later - earlier > 1 for earlier, later in zip(passed, passed[most:], strict=False))


async def test_a_pause_removed_from_redis_still_holds_in_the_process_that_read_it(redis, workers):
    start = time.monotonic()
    await workers[0].pause("b", 0.5)
    await redis.delete(KEY)
    await redis.hset(KEY, "next", 1)
    [passed] = await moments(workers[:1], 10, 1)
    assert passed - start >= 0.49


async def state_of(redis):
    return await redis.hgetall(KEY)


async def test_it_is_seen_how_much_of_a_budget_is_used(redis, workers):
    rate = 5
    (before,) = await RedisBudgets(redis).read([Budget("b", rate)])
    await moments(workers, rate, 5)

    (use,) = await RedisBudgets(redis).read([Budget("b", rate)])
    assert before == Use()
    # 5 slots of the 48 of ten seconds: some are left out when a period has just ended, and each
    # for which this process wakes up too late is taken again
    assert 0 < use.used <= 0.22
    assert use.paused == 0


async def test_reading_budgets_takes_one_round_trip_and_no_slot(redis, workers):
    await moments(workers, 1000, 4)
    budgets = [Budget("b", 1000), *(Budget(f"other-{n}", 3) for n in range(20))]
    before, calls = await state_of(redis), []
    pipeline = redis.pipeline

    def counting(**how):
        pipe = pipeline(**how)
        execute = pipe.execute

        async def once(**more):
            calls.append(len(pipe.command_stack))
            return await execute(**more)

        pipe.execute = once
        return pipe

    redis.pipeline = counting
    shared = RedisBudgets(redis)
    found, again = await shared.read(budgets), await shared.read(budgets)

    assert found == again
    assert len(found) == len(budgets)
    assert calls == [1 + len(budgets)]
    assert await state_of(redis) == before
    assert await redis.keys() == [KEY.encode()]


async def test_the_pause_of_a_service_is_seen(redis, workers):
    await workers[0].pause("b", 40)

    (use,) = await RedisBudgets(redis).read([Budget("b", 10)])
    assert 30 < use.paused <= 40


async def test_a_budget_of_another_type_is_seen_as_unused(redis):
    await redis.delete(KEY)
    await redis.set(KEY, "1")

    assert await RedisBudgets(redis).read([Budget("b", 10)]) == [Use()]


async def test_a_redis_that_does_not_answer_is_not_retried_at_once(redis, caplog):
    budgets = RedisBudgets(redis)
    await redis.client_pause(1_500)

    assert await budgets.read([Budget("b", 10)]) is None
    assert await budgets.read([Budget("b", 10)]) is None
    assert caplog.text.count("the request budgets cannot be read") == 1
    assert await RedisBudgets(redis).read([Budget("b", 10)]) == [Use()]


@pytest.mark.parametrize("field", ["period", "used", "before"])
@pytest.mark.parametrize("value", ["nan", "-1", "9" * 16, "9" * 400, "", "soon"])
async def test_counts_that_others_wrote_stop_no_request(redis, workers, field, value):
    await redis.hset(KEY, field, value)
    await nothing_is_stopped(workers)
    (use,) = await RedisBudgets(redis).read([Budget("b", 50)])
    assert 0 <= use.used <= 1
