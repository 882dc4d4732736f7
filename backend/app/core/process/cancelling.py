import asyncio
from typing import Any

AGAIN = 2.0
"""Seconds that a cancelled task has for its cleaning up before it is cancelled once more."""


async def end(task: asyncio.Task[Any], *, within: float) -> bool:
    """Cancel a task until it has ended; False if it did not in so many seconds.

    Once is not always enough: before Python 3.12 ``asyncio.wait_for``, with which redis-py sends
    its commands, returns in place of a cancellation that comes in the instant in which what it
    waits for is done (CPython issue 86296).
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within
    while not task.done() and (left := deadline - loop.time()) > 0:
        task.cancel()
        await asyncio.wait({task}, timeout=min(AGAIN, left))
    return task.done()
