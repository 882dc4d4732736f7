"""When the five fields of cron are due, in a time zone with daylight saving.

A tick at a fixed time of day happens once a day. If the clocks skip that time, the tick happens as
soon as they have been moved. If the clocks show that time twice, it happens the first time. A tick
of every hour or minute (a `*` in the first or second field) follows the real time. These are the
rules of Debian's cron (``cron(8)``), and :mod:`cronsim` implements them.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile
from zoneinfo import ZoneInfo, available_timezones

from cronsim import CronSim, CronSimError

from app.core.errors import WrongUse
from app.core.text.nearest import did_you_mean

FIELD_COUNT = 5

ALLOWED = "five fields: minute, hour, day of the month, month, day of the week ('0 3 * * 0')"
"""What can be written, for people."""


def check_zone(name: str) -> None:
    """Make sure that a time zone exists.

    Raises:
        WrongUse: it does not.
    """
    zones = available_timezones()
    # the database also has names that mean what this host is set to
    if name not in zones or name == "localtime":
        raise WrongUse(
            f"there is no time zone {name[:60]!r}{did_you_mean(name, zones)}",
            allowed="a name of the IANA time zone database, such as Europe/Berlin or UTC",
        )


def check_cron(fields: str) -> None:
    """Make sure that the fields are due at some time.

    Raises:
        WrongUse: they cannot be read, or never are.
    """
    if len(fields.split()) != FIELD_COUNT:
        raise WrongUse(f"{fields[:60]!r} has {len(fields.split())} fields", allowed=ALLOWED)
    try:
        next(CronSim(fields, datetime(2026, 1, 1, tzinfo=UTC)))
    except CronSimError as error:
        raise WrongUse(f"{fields[:60]!r}: {error}", allowed=ALLOWED) from None
    except StopIteration:
        raise WrongUse(f"{fields[:60]!r} is never due", allowed=ALLOWED) from None


def ticks_after(fields: str, zone: str, after: datetime) -> Iterator[datetime]:
    """Yield the ticks after a moment, in order, in UTC.

    Args:
        fields: as :func:`check_cron` accepts them.
        zone: the time zone in which the fields count.
        after: the moment, which is not a tick itself.
    """
    previous = after
    for tick in CronSim(fields, after.astimezone(ZoneInfo(zone))):
        found = tick.astimezone(UTC)
        # two ticks that the clocks skip come at the same moment, and count as one
        if found > previous:
            yield found
            previous = found


def next_tick(fields: str, zone: str, after: datetime) -> datetime:
    """Return the first tick after a moment, in UTC."""
    return next(ticks_after(fields, zone, after))


def next_ticks(fields: str, zone: str, after: datetime, limit: int) -> list[datetime]:
    """Return the first ticks after a moment, in UTC."""
    return list(islice(ticks_after(fields, zone, after), limit))


def ticks_between(
    fields: str, zone: str, first: datetime, last: datetime, limit: int
) -> list[datetime]:
    """Return the latest ticks from a tick to a moment, both included, in order and in UTC.

    Args:
        fields: as :func:`check_cron` accepts them.
        zone: the time zone in which the fields count.
        first: a tick.
        last: a moment that is not before it.
        limit: how many are returned at most.
    """
    start = last
    # the ticks are found from an earlier and earlier moment, because years of them may be due
    step = timedelta(minutes=limit)
    while True:
        start = max(start - step, first - timedelta(seconds=1))
        found = list(takewhile(last.__ge__, ticks_after(fields, zone, start)))[-limit:]
        if len(found) == limit or start < first:
            return found or [first]
        step *= 4
