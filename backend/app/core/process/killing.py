"""Kills subprocesses of asyncio."""

import contextlib
import os
import signal
from asyncio.subprocess import Process


def kill(process: Process) -> None:
    """Kill a process if it has not ended yet.

    ``Process.kill`` polls first (``subprocess.Popen.send_signal``). If the process has just ended,
    polling reaps its exit status, and asyncio logs a warning about an unknown process and reports
    the status 255.
    """
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
