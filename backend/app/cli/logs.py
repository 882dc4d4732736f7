"""Configures the log of a command: plain lines on stderr, for people.

Workers and the API use `structlog` instead, whose import takes a tenth of a command's time.
"""

import logging
import sys

from app.core.process.redaction import redact
from app.core.text.printable import printable

_CHATTY = ("alembic.runtime.migration", "httpx")
"""Loggers of libraries that log each step at level INFO."""


class _Plain(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        """Return a line without secrets and control characters."""
        return printable(redact(super().format(record)))


def configure(level: str) -> None:
    """Send the logs to stderr.

    Args:
        level: the least severe level that is logged.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Plain("%(asctime)s [%(levelname)s] %(message)s"))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
