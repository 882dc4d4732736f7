"""Logs that tell a run's story across workers.

Every line carries what is bound around it: ``run``, ``epoch``, ``job`` (arq's id), ``worker`` and
``source``. One grep for ``"run": 7[,}]`` finds all of it.
"""

import logging
import sys
from typing import Any

import structlog
from structlog.contextvars import bound_contextvars
from structlog.typing import EventDict, Processor, WrappedLogger

from app.core.errors import UserError
from app.core.printable import printable
from app.core.process.redaction import redact

__all__ = ["bound_contextvars", "configure"]

_CHATTY = frozenset(
    {
        "httpx",  # a line a request: the upstream client logs what matters
        "alembic.runtime.migration",  # "Context impl PostgresqlImpl", at every start
        "arq.worker",  # "recording health", and the start and end of each wake-up
    }
)


def _redact_values(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    # value by value: in the finished JSON it could tear an escape apart
    return {key: _redacted(value) for key, value in event.items()}


def _redacted(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, dict):
        return {str(key): _redacted(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_redacted(each) for each in value]
    return redact(str(value))


def _render_for_people(logger: WrappedLogger, name: str, event: EventDict) -> str:
    return printable(redact(str(_CONSOLE(logger, name, event))))


def _say_what_the_user_can_mend(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Write a :class:`UserError` as its message: its traceback helps nobody to mend it."""
    error = event.get("exc_info")
    if error is True:
        error = sys.exc_info()
    if isinstance(error, tuple):
        error = error[1]
    if isinstance(error, UserError):
        del event["exc_info"]
        if str(error) not in str(event["event"]):
            event["event"] = f"{event['event']}: {error}"
    return event


# structlog's own choice, rich, shows the values of local variables, and breaks them at the
# terminal's width where no redaction finds them again
_CONSOLE = structlog.dev.ConsoleRenderer(
    colors=False, exception_formatter=structlog.dev.plain_traceback
)
_FOR_PEOPLE: list[Processor] = [_render_for_people]
_FOR_PROGRAMS: list[Processor] = [
    structlog.processors.format_exc_info,
    _redact_values,
    structlog.processors.JSONRenderer(),
]


def configure(level: str, *, people: bool | None = None) -> None:
    """Send all logs to stderr without secrets.

    It replaces what others set up before: arq's command line installs handlers of its own
    (``arq/cli.py``) that know nothing of runs.

    Args:
        level: the least that is shown.
        people: whether people read them, and not a program; left out, they do in a terminal.
    """
    if people is None:
        people = sys.stderr.isatty()
    processors: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _say_what_the_user_can_mend,
    ]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=processors,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *(_FOR_PEOPLE if people else _FOR_PROGRAMS),
            ],
        )
    )
    handler.addFilter(_matters)
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in ("arq", "uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True


def _matters(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.WARNING or record.name not in _CHATTY
