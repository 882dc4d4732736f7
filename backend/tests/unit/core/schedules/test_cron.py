"""At which moments the five fields of cron are due."""

from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import WrongUse
from app.core.schedules.cron import (
    check_cron,
    check_zone,
    next_tick,
    next_ticks,
    ticks_after,
    ticks_between,
)

BERLIN = "Europe/Berlin"
ZONES = (BERLIN, "UTC", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(
    ("fields", "after", "expected"),
    [
        # the clocks skip 02:00 to 03:00 on 29 March 2026
        (
            "30 2 * * *",
            "2026-03-28T12:00+01:00",
            ["2026-03-29T03:00+02:00", "2026-03-30T02:30+02:00"],
        ),
        # two skipped times are one tick
        (
            "0,30 2 * * *",
            "2026-03-28T12:00+01:00",
            ["2026-03-29T03:00+02:00", "2026-03-30T02:00+02:00"],
        ),
        # the clocks show 02:30 twice on 25 October 2026
        (
            "30 2 * * *",
            "2026-10-24T12:00+02:00",
            ["2026-10-25T02:30+02:00", "2026-10-26T02:30+01:00"],
        ),
        # what is due each hour follows the real time
        (
            "0 * * * *",
            "2026-03-29T00:30+01:00",
            ["2026-03-29T01:00+01:00", "2026-03-29T03:00+02:00"],
        ),
        (
            "0 * * * *",
            "2026-10-25T01:30+02:00",
            ["2026-10-25T02:00+02:00", "2026-10-25T02:00+01:00"],
        ),
        # the second 02:30 is no tick, also for who asks in the repeated hour
        (
            "30 2 * * *",
            "2026-10-25T02:10+01:00",
            ["2026-10-26T02:30+01:00", "2026-10-27T02:30+01:00"],
        ),
        (
            "0 3 29 2 *",
            "2026-03-01T00:00+01:00",
            ["2028-02-29T03:00+01:00", "2032-02-29T03:00+01:00"],
        ),
        # a day of the month or a day of the week
        (
            "0 0 13 * 5",
            "2026-11-01T00:00+01:00",
            ["2026-11-06T00:00+01:00", "2026-11-13T00:00+01:00"],
        ),
        (
            "0 3 * * 7",
            "2026-11-23T00:00+01:00",
            ["2026-11-29T03:00+01:00", "2026-12-06T03:00+01:00"],
        ),
    ],
)
def test_ticks_follow_the_clocks_of_their_time_zone(
    fields: str, after: str, expected: list[str]
) -> None:
    assert next_ticks(fields, BERLIN, utc(after), 2) == [utc(each) for each in expected]


MOMENTS = st.integers(0, 20 * 366 * 24 * 60).map(
    lambda minutes: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)


def reckoned(hour: int, minute: int, zone: str, after: datetime) -> datetime:
    """The next moment at which the clocks of a zone have reached a time of day, minute by minute.

    The clocks reach it when they show it, or when they jump over it; once a day.
    """
    at = after.replace(second=0, microsecond=0)
    reached: set[object] = set()
    day = after.astimezone(ZoneInfo(zone)).date()
    # what was reached today, before the moment
    begin = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    while begin <= after:
        local = begin.astimezone(ZoneInfo(zone))
        if (local.hour, local.minute) >= (hour, minute):
            reached.add(local.date())
        begin += timedelta(minutes=1)
    while True:
        at += timedelta(minutes=1)
        local = at.astimezone(ZoneInfo(zone))
        if local.date() not in reached and (local.hour, local.minute) >= (hour, minute):
            return at


def turns(zone: str) -> list[datetime]:
    """The hours in which the clocks of a zone are moved, in some years."""
    hours = (datetime(2024, 1, 1, tzinfo=UTC) + timedelta(hours=n) for n in range(24 * 366 * 3))
    here = ZoneInfo(zone)
    return [
        at for at in hours
        if at.astimezone(here).utcoffset() != (at + timedelta(hours=1)).astimezone(here).utcoffset()
    ]  # fmt: skip


NEAR_TURNS = st.one_of(
    *(
        st.tuples(st.just(zone), st.sampled_from(turns(zone)), st.integers(-1_600, 1_600))
        for zone in (BERLIN, "America/New_York")
    )
)


@given(st.integers(0, 4), st.integers(0, 59), NEAR_TURNS)
def test_a_time_of_day_is_due_once_a_day_when_the_clocks_are_moved(
    hour: int, minute: int, near: tuple[str, datetime, int]
) -> None:
    zone, turn, minutes = near
    after = turn + timedelta(minutes=minutes)
    found = next_tick(f"{minute} {hour} * * *", zone, after)
    assert found == reckoned(hour, minute, zone, after)


@given(st.integers(0, 23), st.integers(0, 59), st.sampled_from(ZONES), MOMENTS)
def test_a_time_of_day_is_due_once_a_day(
    hour: int, minute: int, zone: str, after: datetime
) -> None:
    found = next_tick(f"{minute} {hour} * * *", zone, after)
    assert found == reckoned(hour, minute, zone, after)


@given(st.integers(1, 28), st.integers(1, 12), st.sampled_from(ZONES), MOMENTS)
def test_a_day_of_the_year_is_due_at_its_midnight(
    day: int, month: int, zone: str, after: datetime
) -> None:
    local = next_tick(f"0 12 {day} {month} *", zone, after).astimezone(ZoneInfo(zone))
    here = after.astimezone(ZoneInfo(zone))
    year = here.year + (
        here >= here.replace(month=month, day=day, hour=12, minute=0, second=0, microsecond=0)
    )
    assert (local.year, local.month, local.day, local.hour, local.minute) == (
        year,
        month,
        day,
        12,
        0,
    )


FIELDS = st.sampled_from(
    [
        "* * * * *",
        "*/7 * * * *",
        "0 * * * *",
        "30 2 * * *",
        "0 0 29 2 *",
        "15 1-3 * * 0",
        "0 12 L * *",
    ]
)


@given(FIELDS, st.sampled_from(ZONES), MOMENTS, st.integers(0, 60 * 24 * 3), st.integers(1, 20))
def test_the_latest_ticks_of_a_time_are_the_last_ones_in_order(
    fields: str, zone: str, after: datetime, minutes: int, most: int
) -> None:
    first = next_tick(fields, zone, after)
    last = first + timedelta(minutes=minutes)
    every = []
    for tick in ticks_after(fields, zone, first):
        if tick > last:
            break
        every.append(tick)
    assert ticks_between(fields, zone, first, last, most) == [first, *every][-most:]


@given(FIELDS, st.sampled_from(ZONES), MOMENTS)
def test_ticks_are_in_order_and_after_the_moment(fields: str, zone: str, after: datetime) -> None:
    found = list(islice(ticks_after(fields, zone, after), 50))
    assert found == sorted(set(found))
    assert found[0] > after


@pytest.mark.parametrize(
    "fields",
    [
        "",
        "* * * *",
        "* * * * * *",
        "60 * * * *",
        "* 24 * * *",
        "0 0 30 2 *",
        "a b c d e",
        "*/0 * * * *",
        "0 0 31 4 *",
        "-1 * * * *",
        "0 3 * * 8",
        "5-1 * * * *",
        "\0 * * * *",
        "0 3 * * sun; DROP",
    ],
)
def test_fields_that_are_never_due_are_refused(fields: str) -> None:
    with pytest.raises(WrongUse):
        check_cron(fields)


@pytest.mark.parametrize(
    "zone",
    [
        "",
        "Berlin",
        "../etc/passwd",
        "/etc/localtime",
        "localtime",
        "posixrules",
        "Europe/Berlim",
        "\0",
    ],
)
def test_an_unknown_time_zone_is_refused(zone: str) -> None:
    with pytest.raises(WrongUse, match="no time zone"):
        check_zone(zone)


def test_a_mistyped_time_zone_is_corrected() -> None:
    with pytest.raises(WrongUse, match="did you mean Europe/Berlin"):
        check_zone("Europe/Berlim")
