"""Which files are kept, against a reckoning that follows the words of the documentation."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from app.core.schedules.keeping import kept

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Pacific/Apia")

moments = st.datetimes(datetime(2025, 11, 1), datetime(2027, 2, 1)).map(  # noqa: DTZ001
    lambda at: at.replace(tzinfo=UTC, microsecond=0)
)


def reckoned(
    files: Sequence[datetime], latest: datetime, *, daily: int, weekly: int, zone: str
) -> set[datetime]:
    """Ask of each file whether something newer makes it needless."""

    def day(file: datetime) -> int:
        return file.astimezone(ZoneInfo(zone)).date().toordinal()

    def week(file: datetime) -> int:
        # the first of January of the year 1 was a Monday
        return (day(file) - 1) // 7

    keep = set()
    for file in files:
        newer = [other for other in files if file < other <= latest]
        days = {day(other) for other in newer}
        weeks = {week(other) for other in newer}
        last_of_day = day(file) not in days and len(days) < daily
        last_of_week = week(file) not in weeks and len(weeks) < weekly
        if file > latest or not newer or last_of_day or last_of_week:
            keep.add(file)
    return keep


@given(
    st.lists(moments, min_size=1, max_size=60),
    st.integers(0, 9),
    st.integers(0, 6),
    st.sampled_from(ZONES),
    st.data(),
)
def test_the_files_that_are_kept_are_those_that_the_rules_name(
    files: list[datetime], daily: int, weekly: int, zone: str, data: st.DataObject
) -> None:
    latest = data.draw(st.sampled_from(files))
    found = kept(files, latest, daily=daily, weekly=weekly, zone=zone)
    assert found == reckoned(files, latest, daily=daily, weekly=weekly, zone=zone)
    assert latest in found


def test_a_year_of_nightly_backups_leaves_seven_days_and_four_weeks() -> None:
    files: set[datetime] = set()
    begin = datetime(2026, 1, 1, 2, tzinfo=UTC)  # a Thursday
    for night in range(365):
        latest = begin + timedelta(days=night)
        files.add(latest)
        files = kept(files, latest, daily=7, weekly=4, zone="UTC")
    ages = sorted((latest - file).days for file in files)
    # the last one is of a Thursday: the newest of each week before is of a Sunday
    assert ages == [0, 1, 2, 3, 4, 5, 6, 11, 18]


def test_files_of_a_clock_that_was_ahead_do_not_push_out_the_others() -> None:
    now = datetime(2026, 11, 26, 2, tzinfo=UTC)
    ahead = {now + timedelta(days=1_000 + number) for number in range(20)}
    nights = {now - timedelta(days=number) for number in range(3)}
    assert kept(ahead | nights, now, daily=2, weekly=0, zone="UTC") == ahead | {
        now,
        now - timedelta(days=1),
    }
