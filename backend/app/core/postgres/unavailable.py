"""Tells whether an error means that PostgreSQL is unavailable.

A run waits for PostgreSQL as long as it takes. Any other error of PostgreSQL would come again on
every attempt, so it counts as a failure.
"""

import psycopg
from sqlalchemy.exc import DataError, DBAPIError, InterfaceError, InternalError, OperationalError

from app.db.sqlstate import UNAVAILABLE, sqlstate

DATABASE_ERRORS = (
    OperationalError,
    InterfaceError,
    InternalError,
    psycopg.OperationalError,
    psycopg.InternalError,
)
"""What a query may raise when PostgreSQL is unavailable. Other faults raise these classes too, so
:func:`is_unavailable` looks at the error itself."""

_DATA = (
    "22",  # data exception
    "54",  # program limit exceeded: a row, an index entry or a value is too large
)
"""First characters of the SQLSTATEs that refuse a value."""

_WAITS = {
    "53100": ("postgresql: no space left on its disk", 30.0),
    "25006": ("postgresql: it is read-only", 10.0),
    "53300": ("postgresql: it has no connection left", 5.0),
}


def is_unavailable(error: BaseException) -> bool:
    """Tell whether an error means that PostgreSQL is unavailable, so that a retry may succeed."""
    if not isinstance(error, DATABASE_ERRORS):
        return False
    state = sqlstate(error)
    # there is no SQLSTATE when libpq could not connect, or lost the connection
    return state is None or state.startswith(UNAVAILABLE)


def is_data_error(error: BaseException) -> bool:
    """Tell whether PostgreSQL or psycopg refused a value that a column cannot hold."""
    state = sqlstate(error)
    if state is None:
        # psycopg itself refuses a NUL character in a text, for example
        return isinstance(error, DataError | psycopg.DataError)
    return isinstance(error, DBAPIError | psycopg.Error) and state.startswith(_DATA)


def waiting_for(error: BaseException) -> tuple[str, float]:
    """Return what a run waits for, in words, and the seconds until it is tried again."""
    return _WAITS.get(sqlstate(error) or "", ("postgresql", 1.0))
