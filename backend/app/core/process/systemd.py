"""Reports the state of this process to systemd (sd_notify(3)) if systemd started it."""

import asyncio
import logging
import os
import socket
from collections.abc import Callable

logger = logging.getLogger(__name__)

SEND_TIMEOUT = 1.0
"""Seconds to wait if systemd does not accept a message; the event loop is blocked meanwhile."""


def notify(*assignments: str) -> None:
    """Send assignments like ``READY=1`` if systemd started this process.

    A failure is only logged, because the process also works without a supervisor.
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
        logger.warning("systemd could not be notified of %s: %s", assignments[0], error)


def watchdog_seconds() -> float | None:
    """Return the unit's ``WatchdogSec=``; None if systemd expects no pings from this process."""
    microseconds = os.environ.get("WATCHDOG_USEC", "")
    if not microseconds.isdecimal() or int(microseconds) == 0:
        return None
    if os.environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    return int(microseconds) / 1e6


class Supervised:
    """Reports to systemd that this process is ready, and then regularly that its event loop runs.

    The event loop sends the pings, twice as often as systemd expects them. So systemd restarts a
    process whose loop is blocked.

    Args:
        status: returns a line for ``systemctl status``; called with each ping.
    """

    def __init__(self, status: Callable[[], str]) -> None:
        self._status = status
        self._pings: asyncio.Task[None] | None = None

    def ready(self) -> None:
        """Report that the process is ready, and start the pings."""
        notify("READY=1", f"STATUS={self._status()}")
        if seconds := watchdog_seconds():
            self._pings = asyncio.create_task(self._ping(seconds / 2), name="watchdog")

    def stopping(self) -> None:
        """Report that the process is stopping, which starts the unit's ``TimeoutStopSec=``."""
        if self._pings is not None:
            self._pings.cancel()
        notify("STOPPING=1", "STATUS=stopping")

    async def _ping(self, interval: float) -> None:
        while True:
            notify("WATCHDOG=1", f"STATUS={self._status()}")
            await asyncio.sleep(interval)
