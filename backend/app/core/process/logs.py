"""Structured logs on stderr, without secrets.

Every line includes the bound context: ``run``, ``epoch``, ``job`` (the id of the arq job),
``worker`` and ``source``. ``grep '"run": 7[,}]'`` finds all lines about run 7 from all workers. If
traces are on, such a line also has the ``trace_id`` of the run's trace.
"""

import logging
import sys
from collections.abc import Callable
from typing import Any

import structlog
from structlog.contextvars import bound_contextvars
from structlog.typing import EventDict, Processor, WrappedLogger

from app.core.errors import UserError
from app.core.process.redaction import redact
from app.core.text.printable import printable

__all__ = ["add_trace_ids", "bound_contextvars", "configure", "matters"]

_CHATTY = frozenset(
    {
        "httpx",  # one line for each request; the upstream client logs what matters
        "alembic.runtime.migration",  # "Context impl PostgresqlImpl", at every start
        "arq.worker",  # "recording health", and the start and end of each wake-up
    }
)


_trace_id_of: Callable[[int], str] | None = None


def add_trace_ids(trace_id_of: Callable[[int], str] | None) -> None:
    """Add the trace id to each line about a run.

    Args:
        trace_id_of: returns the trace id of a run; None means that lines get no trace id.
    """
    global _trace_id_of  # noqa: PLW0603 - a process has one log
    _trace_id_of = trace_id_of


def _add_trace_id(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    run = event.get("run")
    if _trace_id_of is not None and isinstance(run, int):
        event["trace_id"] = _trace_id_of(run)
    return event


def _redact_values(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    # before rendering, because a replacement in the JSON could split an escape sequence
    return {key: _redacted(value) for key, value in event.items()}


def _redacted(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, dict):
        return {str(key): _redacted(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_redacted(item) for item in value]
    return redact(str(value))


def _render_for_people(logger: WrappedLogger, name: str, event: EventDict) -> str:
    return printable(redact(str(_CONSOLE(logger, name, event))))


def _shorten_user_errors(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Replace the traceback of a :class:`UserError`, which would not help users, by its message."""
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


# structlog's default formatter for tracebacks, rich, shows the values of local variables, and wraps
# lines at the width of the terminal, so that redaction would miss secrets
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
    """Send all logs to stderr, without secrets.

    This replaces existing handlers, such as those of arq's command line (``arq/cli.py``).

    Args:
        level: the least severe level that is logged.
        people: whether to write plain text for people instead of JSON. The default is plain text on
            a terminal and JSON otherwise.
    """
    if people is None:
        people = sys.stderr.isatty()
    processors: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        _add_trace_id,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _shorten_user_errors,
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
    handler.addFilter(matters)
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in ("arq", "uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True


def matters(record: logging.LogRecord) -> bool:
    """Return whether to log a record. Chatty libraries log from the level warning on only."""
    return record.levelno >= logging.WARNING or record.name not in _CHATTY
