"""Decides which files of a schedule are kept."""

from collections.abc import Hashable, Iterable
from datetime import datetime
from zoneinfo import ZoneInfo


def kept(
    ticks: Iterable[datetime], latest: datetime, *, daily: int, weekly: int, zone: str
) -> set[datetime]:
    """Return the ticks whose files are kept.

    The last file of each day is kept for the last ``daily`` days that have one, and the last file
    of each week for the last ``weekly`` weeks that have one. A week begins on Monday. The newest
    file is always kept. Files after ``latest`` are kept and not counted, because they were written
    while the clock was ahead.

    Args:
        ticks: the ticks of the existing files.
        latest: the tick whose file has just been written.
        daily: the number of days.
        weekly: the number of weeks.
        zone: the time zone in which days begin.
    """
    found = sorted(set(ticks), reverse=True)
    ahead = {tick for tick in found if tick > latest}
    others = [tick for tick in found if tick <= latest]
    local = {tick: tick.astimezone(ZoneInfo(zone)) for tick in others}
    days = _last(((at.date(), tick) for tick, at in local.items()), daily)
    weeks = _last(((at.isocalendar()[:2], tick) for tick, at in local.items()), weekly)
    return ahead | days | weeks | set(others[:1])


def _last(newest_first: Iterable[tuple[Hashable, datetime]], limit: int) -> set[datetime]:
    """Return the newest tick of each of the first so many periods."""
    newest: dict[Hashable, datetime] = {}
    for period, tick in newest_first:
        newest.setdefault(period, tick)
    return set([*newest.values()][:limit])
