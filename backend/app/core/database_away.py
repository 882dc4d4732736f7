"""Tells a PostgreSQL that cannot work now from one that refuses what it was given.

The first is waited for, as long as it takes. The second would be refused for ever: it is a failure,
and is counted as one.
"""

import psycopg
from sqlalchemy.exc import DataError, DBAPIError, InterfaceError, InternalError, OperationalError

LOST_DATABASE = (
    OperationalError,
    InterfaceError,
    InternalError,
    psycopg.OperationalError,
    psycopg.InternalError,
)
"""The classes of what a query raises when PostgreSQL cannot work now. They are also those of much
else, so :func:`is_away` has the last word."""

_AWAY = (
    "08",  # connection exception; PgBouncer's refusals are 08P01
    "25006",  # read-only: a standby
    "25P03",  # it ended the session of a worker that was frozen in a transaction
    "25P04",  # the same, by transaction_timeout
    "40",  # a deadlock or a serialization failure: the other one goes first
    "53",  # insufficient resources: disk, memory, connections
    "55P03",  # a lock was not to be had in time
    "57P",  # it shuts down, has crashed, or is starting
    "58",  # an error outside PostgreSQL: input and output
)
_DATA = (
    "22",  # data exception
    "54",  # program limit exceeded: a row, an index entry or a value is too large
)
"""SQLSTATEs by their beginning (PostgreSQL, appendix A)."""

_REASONS = {
    "53100": ("postgresql: no space left on its disk", 30.0),
    "25006": ("postgresql: it is read-only", 10.0),
    "53300": ("postgresql: it has no connection left", 5.0),
}


def is_away(error: BaseException) -> bool:
    """Tell whether an error says that PostgreSQL cannot work now; trying again will mend it."""
    if not isinstance(error, LOST_DATABASE):
        return False
    state = _sqlstate(error)
    # without a state it was libpq that found no server, or no connection any more
    return state is None or state.startswith(_AWAY)


def is_fault_of_data(error: BaseException) -> bool:
    """Tell whether PostgreSQL, or psycopg before it, refuses a value that it cannot hold."""
    state = _sqlstate(error)
    if state is None:
        # a text with a NUL character, for example
        return isinstance(error, DataError | psycopg.DataError)
    return isinstance(error, DBAPIError | psycopg.Error) and state.startswith(_DATA)


def reason(error: BaseException) -> tuple[str, float]:
    """Say what keeps PostgreSQL from its work, and for how long to leave it alone, in seconds."""
    return _REASONS.get(_sqlstate(error) or "", ("postgresql", 1.0))


def _sqlstate(error: BaseException) -> str | None:
    state: str | None = getattr(getattr(error, "orig", error), "sqlstate", None)
    return state
