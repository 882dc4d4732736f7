"""Polls for conditions of which this process gets no event."""

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

from harness.timing import WAIT, limit, scaled

T = TypeVar("T")

PAUSE = 0.05
"""Seconds between two polls."""


def until(condition: Callable[[], T], *, seconds: float = WAIT) -> T:
    """Call `condition` until its result is true, and return the result.

    Args:
        condition: reads the state of another process, a file or a server.
        seconds: the time limit, in seconds of a quiet machine.

    Raises:
        TimeoutError: the result was not true in time.
    """
    deadline = time.monotonic() + scaled(seconds)
    while not (result := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(PAUSE)
    return result


async def eventually(condition: Callable[[], T], *, seconds: float = WAIT) -> T:
    """Do the same as `until`, but without blocking the event loop.

    Raises:
        TimeoutError: the result was not true in time.
    """
    async with limit(seconds):
        # another process sends no event to wait for
        while not (result := condition()):  # noqa: ASYNC110
            await asyncio.sleep(PAUSE)
        return result
