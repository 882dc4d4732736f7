import pytest

from app.core.redis.budgets import Budget, LocalBudgets, Use, use_of
from app.core.redis.rate_limits import USED_SHARE, LocalRateLimiter
from app.core.redis.slot_counts import COUNTED_SECONDS, SlotCounts

TEN = Budget("b", 10 / USED_SHARE)
"""It has 100 slots in 10 seconds."""

NOW = 1_000_000_000_000
"""In microseconds, at the begin of a period."""


def state(following=0, paused=0, period=0, used=0, before=0) -> list[bytes]:
    values = (following, paused, period, used, before)
    return [str(each).encode() for each in values]


def counted(*seconds: float) -> SlotCounts:
    counts = SlotCounts()
    for each in seconds:
        counts = counts.plus(NOW + round(each * 1e6))
    return counts


def recent(counts: SlotCounts, seconds: float) -> float:
    return round(counts.recent(NOW + round(seconds * 1e6)), 3)


def test_slots_are_counted_for_one_period() -> None:
    counts = counted(0, 1, 2, 3)

    assert recent(counts, 4) == 4
    assert recent(counts, COUNTED_SECONDS) == 4
    assert recent(counts, 1.5 * COUNTED_SECONDS) == 2
    assert recent(counts, 2 * COUNTED_SECONDS) == 0
    assert recent(counts, 1_000) == 0


def test_the_former_period_counts_for_the_part_of_it_that_is_recent() -> None:
    counts = counted(0, 1, 2, 3, COUNTED_SECONDS, COUNTED_SECONDS + 1)

    assert recent(counts, 1.25 * COUNTED_SECONDS) == 2 + 0.75 * 4


def test_a_slot_that_is_still_to_come_does_not_hide_the_present_ones() -> None:
    counts = counted(7, 8, 9, COUNTED_SECONDS)

    assert recent(counts, 9.5) == 3


def test_a_clock_that_was_set_back_begins_a_new_count() -> None:
    assert recent(counted(100, 101, 0), 1) == 1


def test_the_share_the_wait_and_the_pause_of_a_budget() -> None:
    period = NOW // round(COUNTED_SECONDS * 1e6)

    half = use_of(TEN, state(NOW + 250_000, 0, period, 50), NOW)
    assert half == Use(used=0.5, wait=0.25, paused=0)
    paused = use_of(TEN, state(NOW, NOW + 30_000_000, period, 300), NOW)
    assert paused == Use(used=1, wait=30, paused=30)


@pytest.mark.parametrize(
    "written",
    [
        ConnectionError("WRONGTYPE"),
        None,
        [None] * 5,
        [b"nan", b"-1", b"1e400", b"0x7f", b"\xff"],
        state(9_999_999_999_999_999, 9_999_999_999_999_999),
        [b"9" * 5_000] * 5,
    ],
)
def test_budget_values_of_other_programs_are_ignored(written) -> None:
    assert use_of(TEN, written, NOW) == Use()


async def test_the_budgets_of_one_process_are_seen_as_well() -> None:
    limiter = LocalRateLimiter(window=0)
    budgets = [Budget("b", 50), Budget("other", 50)]
    for _ in range(3):
        await limiter.acquire("b", 50)
    await limiter.pause("b", 40)

    used, idle = await LocalBudgets(limiter).read(budgets) or ()
    assert 0 < used.used <= 0.01
    assert 30 < used.paused <= 40
    assert idle == Use()
