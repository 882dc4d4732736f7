"""Waits until something holds, where no event of this process tells."""

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

from harness.timing import WAIT, limit, scaled

T = TypeVar("T")

PAUSE = 0.02
"""Seconds between two looks."""


def until(look: Callable[[], T], *, seconds: float = WAIT) -> T:
    """Look again and again until the answer is true, and return it.

    Args:
        look: asks another process, a file or a server.
        seconds: of a quiet machine, until this gives up.

    Raises:
        TimeoutError: the answer was false for so long.
    """
    deadline = time.monotonic() + scaled(seconds)
    while not (found := look()):
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(PAUSE)
    return found


async def eventually(look: Callable[[], T], *, seconds: float = WAIT) -> T:
    """Do the same as `until`, and let the event loop go on meanwhile.

    Raises:
        TimeoutError: the answer was false for so long.
    """
    async with limit(seconds):
        # another process has no event to wait for
        while not (found := look()):  # noqa: ASYNC110
            await asyncio.sleep(PAUSE)
        return found
