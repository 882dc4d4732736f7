import logging
import sys
from contextvars import ContextVar

from app.core.redact import RedactingFormatter

bell_id: ContextVar[str] = ContextVar("bell_id", default="-")
"""``{run id}:{epoch}`` of the attempt that the current task belongs to."""


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
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in ("arq", "uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    # one line a request, with its address: the upstream client logs what matters, without keys
    logging.getLogger("httpx").setLevel(logging.WARNING)
    # "Context impl PostgresqlImpl": of a migration's set-up, at every start
    logging.getLogger("alembic.runtime.migration").setLevel(logging.WARNING)
    # "recording health" would otherwise be most of the log
    logging.getLogger("arq.worker").setLevel(logging.WARNING)
