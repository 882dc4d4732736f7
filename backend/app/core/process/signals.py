"""The signals that end a process."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import current_thread, main_thread
from types import FrameType

FAULTS = frozenset(
    {
        *(signal.SIGILL, signal.SIGTRAP, signal.SIGABRT, signal.SIGBUS),
        *(signal.SIGFPE, signal.SIGSEGV, signal.SIGSYS),
    }
)
"""What a process gets for its own errors: after these it cannot go on, not even to an end."""

_STAYS = frozenset(
    {
        *(signal.SIGKILL, signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU),
        *(signal.SIGCONT, signal.SIGCHLD, signal.SIGURG, signal.SIGWINCH),
    }
)
"""What cannot be caught, and what by default does not end a process (signal(7))."""


def unheeded() -> set[int]:
    """Return the signals that would end this process now: SIGHUP of a closed terminal, and others.

    What somebody heeds already is left to them, and what is ignored stays so: `nohup` does that.
    """
    mortal = signal.valid_signals() - FAULTS - _STAYS
    return {number for number in mortal if signal.getsignal(number) is signal.SIG_DFL}


def name(number: int) -> str:
    """Return what a signal is called; those for real time have no names."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def heed(handler: Callable[[int, FrameType | None], object]) -> set[int]:
    """Let a handler take every signal that would end this process now, and return these."""
    taken = unheeded()
    for number in taken:
        signal.signal(number, handler)
    return taken


@contextmanager
def as_sigterm() -> Iterator[None]:
    """Take every signal that would end this process for a SIGTERM, which its server heeds.

    Only the main thread can do so; in another one nothing is changed.
    """
    if current_thread() is not main_thread():
        yield
        return

    def pass_on(number: int, frame: FrameType | None) -> None:
        del number, frame
        signal.raise_signal(signal.SIGTERM)

    taken = heed(pass_on) if signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL else set()
    try:
        yield
    finally:
        for number in taken:
            signal.signal(number, signal.SIG_DFL)
