"""The signals that end a process."""

import atexit
import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from threading import current_thread, main_thread
from types import FrameType

FAULTS = frozenset(
    {
        *(signal.SIGILL, signal.SIGTRAP, signal.SIGABRT, signal.SIGBUS),
        *(signal.SIGFPE, signal.SIGSEGV, signal.SIGSYS),
    }
)
"""Signals for faults of the process itself, after which it cannot stop cleanly."""

_NOT_FATAL = frozenset(
    {
        *(signal.SIGKILL, signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU),
        *(signal.SIGCONT, signal.SIGCHLD, signal.SIGURG, signal.SIGWINCH),
    }
)
"""Signals that cannot be caught, or that by default do not end a process (signal(7))."""


def unhandled() -> set[int]:
    """Return the signals that would end this process now, such as SIGHUP.

    Signals with a handler are not included, nor ignored signals, as under `nohup`.
    """
    fatal = signal.valid_signals() - FAULTS - _NOT_FATAL
    return {number for number in fatal if signal.getsignal(number) is signal.SIG_DFL}


def name(number: int) -> str:
    """Return the name of a signal. Real-time signals have only a number."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def handle_all(handler: Callable[[int, FrameType | None], object]) -> set[int]:
    """Install a handler for every signal that would end this process now; return the signals."""
    handled = unhandled()
    for number in handled:
        signal.signal(number, handler)
    return handled


def ignore_at_exit(numbers: Iterable[int]) -> None:
    """Ignore signals while the interpreter exits, so that they do not change the exit status.

    During the exit no handler is called (``Py_FinalizeEx``), and a signal kills the process: the
    second SIGHUP of a closing terminal would turn a clean stop into a failure.

    Args:
        numbers: the signals that stop the process.
    """

    def ignore() -> None:
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)

    atexit.register(ignore)


@contextmanager
def as_sigterm() -> Iterator[None]:
    """Turn every signal that would end this process into a SIGTERM, which its server handles.

    Only the main thread can do this. In another thread, this does nothing.
    """
    if current_thread() is not main_thread():
        yield
        return

    def pass_on(number: int, frame: FrameType | None) -> None:
        del number, frame
        signal.raise_signal(signal.SIGTERM)

    has_handler = signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
    passed_on = handle_all(pass_on) if has_handler else set()
    try:
        yield
    finally:
        for number in passed_on:
            signal.signal(number, signal.SIG_DFL)
