import psycopg
from sqlalchemy.exc import InterfaceError, InternalError, OperationalError

LOST_DATABASE = (
    OperationalError,
    InterfaceError,
    InternalError,
    psycopg.OperationalError,
    psycopg.InternalError,
)
"""What a query raises when PostgreSQL has gone away, has no room, or has ended the session of a
worker that was frozen; that last one is an internal error to psycopg."""

_REASONS = {
    "53100": ("postgresql: no space left on its disk", 30.0),
    "25006": ("postgresql: it is read-only", 10.0),
    "53300": ("postgresql: it has no connection left", 5.0),
}
"""By SQLSTATE (PostgreSQL, appendix A)."""


def reason(error: BaseException) -> tuple[str, float]:
    """Say what keeps PostgreSQL from its work, and for how long to leave it alone, in seconds."""
    state = getattr(getattr(error, "orig", error), "sqlstate", None)
    return _REASONS.get(str(state), ("postgresql", 1.0))
