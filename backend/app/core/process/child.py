"""Ends a child process with its parent."""

import ctypes
import os
import signal
import sys
import threading

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def die_with(parent: int) -> None:
    """Make the kernel kill this process when its parent dies. This works on Linux only.

    Args:
        parent: the process id of the parent.

    Raises:
        SystemExit: the parent has already ended.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit("the parent process has already ended")


def end_when_input_closes() -> None:
    """End this process as soon as its standard input is closed, whatever it is doing."""
    threading.Thread(target=_wait_and_end, daemon=True).start()


def _wait_and_end() -> None:
    # os.read bypasses sys.stdin's buffer, whose lock the interpreter needs at its end
    while os.read(sys.stdin.fileno(), 65_536):
        pass
    os._exit(1)
