"""The names of scheduled snapshots."""

from datetime import datetime
from zoneinfo import ZoneInfo

from app.annotation.data.snapshots import NAME
from app.annotation.scheduled.snapshots import name_of

TICK = datetime(2026, 11, 1, 0, 5, 9, tzinfo=ZoneInfo("Europe/Berlin"))


def test_a_snapshot_is_named_after_the_day_of_its_tick_in_the_zone_of_the_schedule() -> None:
    assert name_of("monthly", TICK, set()) == "monthly-2026-11-01"


def test_a_second_snapshot_of_a_day_has_the_time_in_its_name() -> None:
    taken: set[str] = set()
    for _ in range(3):
        taken.add(name_of("twelve-chars", TICK, taken))
    assert sorted(taken) == [
        "twelve-chars-2026-11-01",
        "twelve-chars-2026-11-01-0005",
        "twelve-chars-2026-11-01-000509",
    ]
    assert all(NAME.fullmatch(name) for name in taken)
