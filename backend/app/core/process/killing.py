"""Kills processes that this one has started with asyncio."""

import contextlib
import os
import signal
from asyncio.subprocess import Process


def kill(process: Process) -> None:
    """Kill a process if it has not ended yet.

    ``Process.kill`` would poll first (``subprocess.Popen.send_signal``). If the process has just
    ended, polling takes its status away from asyncio, which then logs that it does not know the
    process, and makes the status 255.
    """
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
