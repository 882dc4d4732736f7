"""Distinguishes an unavailable PostgreSQL from other errors.

A run waits for PostgreSQL without limit. Any other error of PostgreSQL would recur at every
attempt, so it counts as a failure.
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
"""What a query may raise if PostgreSQL is unavailable. Other problems raise these classes too, so
:func:`is_unavailable` inspects the SQLSTATE."""

_DATA = (
    "22",  # data exception
    "54",  # program limit exceeded: a row, an index entry or a value is too large
)
"""The SQLSTATE classes of refused values."""

_WAITS = {
    "53100": ("postgresql: no space left on its disk", 30.0),
    "25006": ("postgresql: it is read-only", 10.0),
    "53300": ("postgresql: it has no connection left", 5.0),
}


def is_unavailable(error: BaseException) -> bool:
    """Return whether an error means that PostgreSQL is unavailable, so that a retry may succeed."""
    if not isinstance(error, DATABASE_ERRORS):
        return False
    state = sqlstate(error)
    # libpq provides no SQLSTATE if it cannot connect or has lost the connection
    return state is None or state.startswith(UNAVAILABLE)


def is_data_error(error: BaseException) -> bool:
    """Return whether PostgreSQL or psycopg refused a value that a column cannot store."""
    state = sqlstate(error)
    if state is None:
        # psycopg itself refuses some values, such as text with a NUL character
        return isinstance(error, DataError | psycopg.DataError)
    return isinstance(error, DBAPIError | psycopg.Error) and state.startswith(_DATA)


def waiting_for(error: BaseException) -> tuple[str, float]:
    """Return what a run waits for, as text for an operator, and the seconds until it is retried."""
    return _WAITS.get(sqlstate(error) or "", ("postgresql", 1.0))
