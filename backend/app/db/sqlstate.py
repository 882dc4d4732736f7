"""PostgreSQL's codes of errors (appendix A of its manual)."""

AWAY = (
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
"""By their beginning, the codes of a PostgreSQL that cannot work now: trying again mends it."""


def sqlstate(error: BaseException) -> str | None:
    """Return the code of an error, psycopg's own or one that SQLAlchemy has wrapped.

    None where the server has not answered: libpq keeps no code of a connection that was refused.
    """
    state: str | None = getattr(getattr(error, "orig", error), "sqlstate", None)
    return state
