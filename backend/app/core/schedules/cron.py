"""Computes the times of the five cron fields, in a time zone with daylight saving.

A tick at a fixed time of day happens once a day. If daylight saving skips that time, the tick
happens right after the change. If that time occurs twice, the tick happens the first time. A tick
of every hour or minute (a `*` in the first or second field) follows the elapsed time. These are the
rules of Debian's cron (``cron(8)``), which :mod:`cronsim` implements.
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
"""The allowed form, for error messages."""


def check_zone(name: str) -> None:
    """Check that a time zone exists.

    Raises:
        WrongUse: it does not exist.
    """
    zones = available_timezones()
    # the database also has a name for the zone of this host, which differs between hosts
    if name not in zones or name == "localtime":
        raise WrongUse(
            f"there is no time zone {name[:60]!r}{did_you_mean(name, zones)}",
            allowed="a name of the IANA time zone database, such as Europe/Berlin or UTC",
        )


def check_cron(fields: str) -> None:
    """Check that cron fields are valid and due at some time.

    Raises:
        WrongUse: they cannot be parsed, or are never due.
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
        fields: fields that :func:`check_cron` accepts.
        zone: the time zone of the fields.
        after: the moment, which is excluded.
    """
    previous = after
    for tick in CronSim(fields, after.astimezone(ZoneInfo(zone))):
        found = tick.astimezone(UTC)
        # two ticks at times that daylight saving skips happen at the same moment, and count as one
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
        fields: fields that :func:`check_cron` accepts.
        zone: the time zone of the fields.
        first: a tick.
        last: a moment that is not before it.
        limit: the maximum number of times.
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
