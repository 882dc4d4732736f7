"""Logs failures of operations that a worker retries."""

import logging

from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.postgres.schema import explain
from app.core.postgres.unavailable import is_unavailable

logger = logging.getLogger(__name__)


def log_failure(db: AsyncEngine, what: str, error: Exception) -> None:
    """Log the failure of an operation that this worker retries.

    The log has a traceback unless PostgreSQL is unavailable or the operator can fix the cause.

    Args:
        db: the database that the operation uses.
        what: the operation, which is the subject of the message.
        error: the exception.
    """
    if is_unavailable(error) or isinstance(error, OSError | TimeoutError):
        logger.warning(
            "%s failed, because PostgreSQL is unavailable: %s", what, error or "no answer"
        )
    elif (known := explain(db, error)) is not None:
        logger.error("%s failed; the worker continues and retries: %s", what, known)
    else:
        logger.error("%s failed; the worker continues and retries", what, exc_info=error)
