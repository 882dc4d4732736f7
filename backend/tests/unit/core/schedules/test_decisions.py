"""Which ticks of a schedule run while workers come and go, over half a year."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import takewhile

from hypothesis import given
from hypothesis import strategies as st

from app.core.schedules.cron import ticks_after
from app.core.schedules.schedule import MAX_MISSED, ON_TIME_WITHIN, Schedule, decide

START = datetime(2026, 9, 1, tzinfo=UTC)
"""Both changes of the clocks in Europe are within half a year of it."""

HALF_A_YEAR = timedelta(days=183)


def schedule(**changes: object) -> Schedule:
    values = {
        "id": 1, "name": "nightly", "kind": "cron", "cron": "30 2 * * *", "zone": "Europe/Berlin",
        "every": None, "sources": None, "mode": "smart", "overlap": "skip",
        "catch_up": timedelta(days=1), "next_at": START,
    }  # fmt: skip
    return Schedule(**(values | changes))  # type: ignore[arg-type]


def moved(before: Schedule, next_at: datetime) -> Schedule:
    return schedule(
        cron=before.cron, kind=before.kind, every=before.every, catch_up=before.catch_up,
        next_at=next_at,
    )  # fmt: skip


DOWN = st.lists(
    st.one_of(
        st.floats(0.1, 2).map(lambda seconds: timedelta(seconds=seconds)),
        st.floats(0.1, 30).map(lambda hours: timedelta(hours=hours)),
        st.floats(1, 9).map(lambda days: timedelta(days=days)),
    ),
    min_size=1,
    max_size=30,
)
"""How long nobody looks, again and again."""

CRONS = st.sampled_from(["30 2 * * *", "0 */6 * * *", "0 3 * * 0", "15 4 1 * *"])


@given(CRONS, DOWN, st.sampled_from([timedelta(), timedelta(days=1), timedelta(days=30)]))
def test_every_tick_of_half_a_year_runs_or_is_missed_once(
    cron: str, gaps: list[timedelta], catch_up: timedelta
) -> None:
    first = next(ticks_after(cron, "Europe/Berlin", START))
    one = schedule(cron=cron, next_at=first, catch_up=catch_up)
    ran: list[datetime] = []
    missed: list[datetime] = []
    now, place = START, 0
    while now < START + HALF_A_YEAR:
        now += gaps[place % len(gaps)]
        place += 1
        # the worker looks each second: it sees a tick at once when it is there
        now = max(now, one.next_at)
        decision = decide(one, now, None)
        assert decision.next_at > now
        if decision.tick is not None:
            ran.append(decision.tick)
            assert now - decision.tick <= max(catch_up, ON_TIME_WITHIN)
        missed += decision.missed
        one = moved(one, decision.next_at)
    expected = list(takewhile(one.next_at.__gt__, ticks_after(cron, "Europe/Berlin", START)))
    assert sorted(ran + missed) == expected
    assert set(Counter(ran + missed).values()) == {1}
    assert MAX_MISSED >= 60


@given(DOWN, st.integers(1, 72))
def test_polls_for_a_release_keep_their_interval_after_downtime(
    gaps: list[timedelta], hours: int
) -> None:
    every = timedelta(hours=hours)
    one = schedule(kind="release", cron=None, every=every, next_at=START + every)
    now, place = START, 0
    while now < START + HALF_A_YEAR:
        now = max(now + gaps[place % len(gaps)], one.next_at)
        place += 1
        decision = decide(one, now, None)
        assert decision.tick is not None
        assert (decision.tick - START) % every == timedelta()
        assert timedelta() <= now - decision.tick < every
        assert decision.next_at == decision.tick + every
        one = moved(one, decision.next_at)


@given(st.integers(0, 20), st.integers(1, 10))
def test_data_run_when_they_are_older_than_allowed(age: int, days: int) -> None:
    every = timedelta(days=days)
    one = schedule(kind="freshness", cron=None, every=every)
    decision = decide(one, START, START - timedelta(days=age))
    assert (decision.tick is not None) == (age >= days)
    if decision.tick is None:
        assert decision.next_at == START + timedelta(days=days - age)
    else:
        assert START < decision.next_at <= START + timedelta(hours=1)


def test_data_that_were_never_refreshed_are_too_old() -> None:
    one = schedule(kind="freshness", cron=None, every=timedelta(days=1))
    assert decide(one, START, None).tick == START
