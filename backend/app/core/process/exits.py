import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType

from app.core.errors import UserError
from app.core.printable import printable


@contextmanager
def exit_on_user_error(explain: Callable[[UserError], str] = str) -> Iterator[None]:
    """End the process with a message in place of a traceback when the user can mend the error.

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
    """Do the same for errors that end the process outside of our own code, in arq's for example.

    Args:
        explain: returns the message for an error.
    """
    others = sys.excepthook

    def hook(
        kind: type[BaseException], error: BaseException, traceback: TracebackType | None
    ) -> None:
        if not isinstance(error, UserError):
            others(kind, error, traceback)
            return
        # the interpreter takes the exit status from it (``Python/pythonrun.c``)
        with exit_on_user_error(explain):
            raise error

    sys.excepthook = hook
