import asyncio

from app.core.process.loop_watch import LoopWatch
from tests import virtual_time
from tests.virtual_time import busy


async def watched(*, busy_for: float, every: float, times: int) -> LoopWatch:
    async with LoopWatch() as watch:
        for _ in range(times):
            await asyncio.sleep(every)
            busy(busy_for)
    return watch


def test_a_loop_that_only_waits_is_on_time() -> None:
    watch = virtual_time.run(watched(busy_for=0, every=0.5, times=6))
    assert watch.on_time
    assert watch.lost < 0.001


def test_a_blocked_loop_is_late_by_the_time_it_was_blocked() -> None:
    watch = virtual_time.run(watched(busy_for=2, every=1, times=1))
    assert not watch.on_time
    assert 1.9 < watch.lost <= 2


def test_many_short_delays_add_up() -> None:
    watch = virtual_time.run(watched(busy_for=0.2, every=0.1, times=10))
    assert not watch.on_time
    assert watch.lost > 1


def test_ordinary_small_delays_do_not_count() -> None:
    assert virtual_time.run(watched(busy_for=0.01, every=0.2, times=15)).on_time
