"""Tells a PostgreSQL that cannot work now from one that refuses what it was given.

The first is waited for, as long as it takes. The second would be refused for ever: it is a failure,
and is counted as one.
"""

import psycopg
from sqlalchemy.exc import DataError, DBAPIError, InterfaceError, InternalError, OperationalError

from app.db.sqlstate import AWAY, sqlstate

LOST_DATABASE = (
    OperationalError,
    InterfaceError,
    InternalError,
    psycopg.OperationalError,
    psycopg.InternalError,
)
"""The classes of what a query raises when PostgreSQL cannot work now. They are also those of much
else, so :func:`is_away` has the last word."""

_DATA = (
    "22",  # data exception
    "54",  # program limit exceeded: a row, an index entry or a value is too large
)
"""SQLSTATEs by their beginning."""

_REASONS = {
    "53100": ("postgresql: no space left on its disk", 30.0),
    "25006": ("postgresql: it is read-only", 10.0),
    "53300": ("postgresql: it has no connection left", 5.0),
}


def is_away(error: BaseException) -> bool:
    """Tell whether an error says that PostgreSQL cannot work now; trying again will mend it."""
    if not isinstance(error, LOST_DATABASE):
        return False
    state = sqlstate(error)
    # without a state it was libpq that found no server, or no connection any more
    return state is None or state.startswith(AWAY)


def is_fault_of_data(error: BaseException) -> bool:
    """Tell whether PostgreSQL, or psycopg before it, refuses a value that it cannot hold."""
    state = sqlstate(error)
    if state is None:
        # a text with a NUL character, for example
        return isinstance(error, DataError | psycopg.DataError)
    return isinstance(error, DBAPIError | psycopg.Error) and state.startswith(_DATA)


def reason(error: BaseException) -> tuple[str, float]:
    """Say what keeps PostgreSQL from its work, and for how long to leave it alone, in seconds."""
    return _REASONS.get(sqlstate(error) or "", ("postgresql", 1.0))
