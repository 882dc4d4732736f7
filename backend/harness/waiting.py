"""Waits for conditions that no event of this process announces."""

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

from harness.timing import WAIT, limit, scaled

T = TypeVar("T")

PAUSE = 0.05
"""Seconds between two checks."""


def until(look: Callable[[], T], *, seconds: float = WAIT) -> T:
    """Call `look` until its result is true, and return the result.

    Args:
        look: asks another process, a file or a server.
        seconds: the time limit, in seconds of a quiet machine.

    Raises:
        TimeoutError: the result was not true in time.
    """
    deadline = time.monotonic() + scaled(seconds)
    while not (found := look()):
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(PAUSE)
    return found


async def eventually(look: Callable[[], T], *, seconds: float = WAIT) -> T:
    """Do the same as `until` without blocking the event loop.

    Raises:
        TimeoutError: the result was not true in time.
    """
    async with limit(seconds):
        # another process has no event to wait for
        while not (found := look()):  # noqa: ASYNC110
            await asyncio.sleep(PAUSE)
        return found
