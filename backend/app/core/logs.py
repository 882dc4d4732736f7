import logging
import sys
from contextvars import ContextVar

from app.core.redact import RedactingFormatter

bell_id: ContextVar[str] = ContextVar("bell_id", default="-")
"""``{run id}:{epoch}`` of the attempt that the current task belongs to."""

_CHATTY = frozenset(
    {
        "httpx",  # a line a request: the upstream client logs what matters
        "alembic.runtime.migration",  # "Context impl PostgresqlImpl", at every start
        "arq.worker",  # "recording health", and each bell's start and end
    }
)


class _Formatter(RedactingFormatter):
    """Puts the job's id on every line."""

    def format(self, record: logging.LogRecord) -> str:
        record.job = bell_id.get()
        return super().format(record)


def configure(level: str) -> None:
    """Send all logs to stderr, in one form, without secrets.

    It replaces what others set up before: arq's command line installs handlers of its own
    (``arq/cli.py``) that know no job ids.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        _Formatter("%(asctime)s %(levelname)s %(process)d %(name)s [job %(job)s] %(message)s")
    )
    handler.addFilter(_matters)
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in ("arq", "uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True


def _matters(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.WARNING or record.name not in _CHATTY
