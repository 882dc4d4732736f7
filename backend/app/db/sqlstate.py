"""PostgreSQL's error codes (appendix A of its manual)."""

UNAVAILABLE = (
    "08",  # connection exception; PgBouncer's refusals are 08P01
    "25006",  # the server is read-only: a standby
    "25P03",  # the server ended a session that was idle in a transaction: a frozen worker
    "25P04",  # the same, by transaction_timeout
    "40",  # a deadlock or a serialization failure: the other transaction won
    "53",  # insufficient resources: disk, memory, connections
    "55P03",  # a lock was not free in time
    "57P",  # the server shuts down, has crashed, or starts
    "58",  # an error outside of PostgreSQL, such as an I/O error
)
"""Prefixes of the codes that mean that PostgreSQL is temporarily unavailable."""


def sqlstate(error: BaseException) -> str | None:
    """Return the SQLSTATE of an error of psycopg or SQLAlchemy.

    The result is None if the server sent no answer: libpq has no code for a refused connection.
    """
    state: str | None = getattr(getattr(error, "orig", error), "sqlstate", None)
    return state
