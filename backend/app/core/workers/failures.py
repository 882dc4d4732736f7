"""Logs failures of what a worker tries again."""

import logging

from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.postgres.schema import explain
from app.core.postgres.unavailable import is_unavailable

logger = logging.getLogger(__name__)


def log_failure(db: AsyncEngine, what: str, error: Exception) -> None:
    """Log that something failed that this worker tries again.

    The log has a traceback unless PostgreSQL is unavailable or the operator can fix the cause.

    Args:
        db: where it failed.
        what: the subject of the message.
        error: why it failed.
    """
    if is_unavailable(error) or isinstance(error, OSError | TimeoutError):
        logger.warning("%s failed, PostgreSQL is unavailable: %s", what, error or "no answer")
    elif (known := explain(db, error)) is not None:
        logger.error("%s failed, the worker goes on: %s", what, known)
    else:
        logger.error("%s failed, the worker goes on", what, exc_info=error)
