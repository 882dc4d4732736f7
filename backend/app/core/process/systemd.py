"""What systemd is told about this process (sd_notify(3)), where systemd started it."""

import asyncio
import logging
import os
import socket
from collections.abc import Callable

logger = logging.getLogger(__name__)

SEND_TIMEOUT = 1.0
"""Seconds that systemd has to take a message; a full queue must not hold up the event loop."""


def notify(*assignments: str) -> None:
    """Send assignments like ``READY=1``, if there is a systemd that wants them.

    A message that cannot be sent is logged: the process does its work without a supervisor too.
    """
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
            out.settimeout(SEND_TIMEOUT)
            out.connect(address)
            out.sendall("\n".join(assignments).encode())
    except OSError as error:
        logger.warning("systemd could not be told %s: %s", assignments[0], error)


def watchdog_seconds() -> float | None:
    """Return the unit's ``WatchdogSec=``, or None when nobody waits for this process' pings."""
    microseconds = os.environ.get("WATCHDOG_USEC", "")
    if not microseconds.isdecimal() or int(microseconds) == 0:
        return None
    if os.environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    return int(microseconds) / 1e6


class Supervised:
    """Says that this process is ready, and from then on that its event loop runs.

    The pings come from the event loop, twice as often as they are due, so that systemd restarts a
    process whose loop is blocked.

    Args:
        status: a line for ``systemctl status``, asked for with each ping.
    """

    def __init__(self, status: Callable[[], str]) -> None:
        self._status = status
        self._pings: asyncio.Task[None] | None = None

    def ready(self) -> None:
        """Say that the work can begin."""
        notify("READY=1", f"STATUS={self._status()}")
        if seconds := watchdog_seconds():
            self._pings = asyncio.create_task(self._ping(seconds / 2), name="watchdog")

    def stopping(self) -> None:
        """Say that the end has begun; from now on the unit's ``TimeoutStopSec=`` counts."""
        if self._pings is not None:
            self._pings.cancel()
        notify("STOPPING=1", "STATUS=stopping")

    async def _ping(self, pause: float) -> None:
        while True:
            notify("WATCHDOG=1", f"STATUS={self._status()}")
            await asyncio.sleep(pause)
