"""The moment of a read: now, a time in the past, or the time of a snapshot."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.errors import NotFound, WrongUse
from app.core.text.nearest import did_you_mean
from app.core.text.times import read_time
from app.db.text import is_storable

ALLOWED = "a day (2026-03-31) or a time with its zone (2026-03-31T18:00:00Z) in the past"
"""The allowed forms of a moment, for messages."""


@dataclass(frozen=True, slots=True)
class Moment:
    """The point in time at which the answers to read were valid.

    Attributes:
        at: the time; None means now.
        snapshot: the name of the snapshot, if the moment was requested by it.
    """

    at: datetime | None = None
    snapshot: str | None = None


NOW = Moment()
"""The present answers."""

_SNAPSHOT = text("SELECT at FROM snapshots WHERE name = :name")

_SNAPSHOTS = text("SELECT name FROM snapshots ORDER BY at DESC, id DESC LIMIT 1000")

_INCOMPLETE = text(
    """
    SELECT max(complete_since) FROM history_horizon
    WHERE complete_since > :at AND NOT EXISTS (SELECT FROM snapshots s WHERE s.at = :at)
    """
)

_CLOCK = text("SELECT clock_timestamp()")


async def clock(connection: AsyncConnection) -> datetime:
    """Return PostgreSQL's time, which alone decides what is in the past."""
    now: datetime = (await connection.execute(_CLOCK)).scalar_one()
    return now


def parse_time(what: str, value: str, now: datetime) -> datetime:
    """Parse a typed time. A day means its end in UTC, or now if it is today.

    Args:
        what: the name of the parameter, for the error.
        value: the typed text.
        now: PostgreSQL's time.

    Raises:
        WrongUse: the text is not a time, has no zone, or is in the future.
    """
    _, end = _read(what, value, now)
    return min(end, now)


def parse_start(what: str, value: str, now: datetime) -> datetime:
    """Parse the typed start of a period. A day means its start in UTC.

    Raises:
        WrongUse: see :func:`parse_time`.
    """
    start, _ = _read(what, value, now)
    return start


def _read(what: str, value: str, now: datetime) -> tuple[datetime, datetime]:
    try:
        start, end = read_time(value)
    except ValueError as error:
        raise WrongUse(f"{what} is {value[:60]!r}, {error}", allowed=ALLOWED) from None
    if start > now:
        raise WrongUse(f"{what} is {value[:60]!r}, which is in the future", allowed=ALLOWED)
    return start, end


async def find_moment(
    connection: AsyncConnection, *, as_of: str | None = None, snapshot: str | None = None
) -> Moment:
    """Return the moment of typed parameters.

    Args:
        connection: the database connection.
        as_of: a day or a time; None without one.
        snapshot: the name of a snapshot; None for both means now.

    Raises:
        WrongUse: both are given, ``as_of`` is not a time, or the history does not reach back to it.
        NotFound: there is no such snapshot.
    """
    if as_of is not None and snapshot is not None:
        raise WrongUse(
            "as_of and snapshot are both given", allowed="one of them, or none of them for now"
        )
    if snapshot is not None:
        return Moment(await snapshot_time(connection, snapshot), snapshot)
    if as_of is None:
        return NOW
    at = parse_time("as_of", as_of, await clock(connection))
    await require_history(connection, at)
    return Moment(at)


async def snapshot_time(connection: AsyncConnection, name: str) -> datetime:
    """Return the time of a snapshot.

    Raises:
        NotFound: there is no such snapshot.
    """
    at: datetime | None = None
    if is_storable(name):
        at = (await connection.execute(_SNAPSHOT, {"name": name})).scalar_one_or_none()
    if at is None:
        names = await snapshot_names(connection)
        raise NotFound(
            f"there is no snapshot {name[:80]!r}{did_you_mean(name, names)}",
            allowed=", ".join(names[:20]) or "none yet: `just snapshot NAME` takes one",
        )
    return at


async def snapshot_names(connection: AsyncConnection) -> list[str]:
    """Return the names of the snapshots, the newest first; at most 1,000."""
    return [*(await connection.execute(_SNAPSHOTS)).scalars()]


async def require_history(connection: AsyncConnection, at: datetime) -> None:
    """Check that the history of a time is complete.

    Raises:
        WrongUse: former answers of that time have been removed.
    """
    since = (await connection.execute(_INCOMPLETE, {"at": at})).scalar_one()
    if since is not None:
        raise WrongUse(
            f"the history of {at:%Y-%m-%d %H:%M} UTC is incomplete: former answers of that time"
            " were removed",
            allowed=f"a time since {since:%Y-%m-%d %H:%M} UTC, or a snapshot",
        )
