"""Exits with a message instead of a traceback if the user can fix the error."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType

from app.core.errors import UserError
from app.core.text.printable import printable


@contextmanager
def exit_on_user_error(explain: Callable[[UserError], str] = str) -> Iterator[None]:
    """Exit with a message instead of a traceback if the block raises a `UserError`.

    Args:
        explain: returns the message for an error.

    Raises:
        SystemExit: with the error's exit status.
    """
    try:
        yield
    except UserError as error:
        sys.stderr.write(f"Error: {printable(explain(error))}\n")
        raise SystemExit(error.exit_code) from None


def exit_on_any_user_error(explain: Callable[[UserError], str] = str) -> None:
    """Apply :func:`exit_on_user_error` to uncaught errors in code of other packages, such as arq.

    Args:
        explain: returns the message for an error.
    """
    default = sys.excepthook

    def hook(
        kind: type[BaseException], error: BaseException, traceback: TracebackType | None
    ) -> None:
        if not isinstance(error, UserError):
            default(kind, error, traceback)
            return
        # the interpreter takes the exit status from SystemExit (``Python/pythonrun.c``)
        with exit_on_user_error(explain):
            raise error

    sys.excepthook = hook
