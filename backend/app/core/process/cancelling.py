"""Cancels tasks reliably."""

import asyncio
from typing import Any

RECANCEL_INTERVAL = 2.0
"""Seconds that a cancelled task has to clean up before it is cancelled again."""


async def end(task: asyncio.Task[Any], *, within: float) -> bool:
    """Cancel a task repeatedly until it has ended.

    One cancellation is not always enough. Before Python 3.12, ``asyncio.wait_for``, which redis-py
    uses for its commands, swallows a cancellation that arrives just as the awaited operation
    completes (CPython issue 86296).

    Args:
        task: the task to end.
        within: seconds that it has to end.

    Returns:
        Whether the task has ended in time.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within
    while not task.done() and (left := deadline - loop.time()) > 0:
        task.cancel()
        await asyncio.wait({task}, timeout=min(RECANCEL_INTERVAL, left))
    return task.done()
