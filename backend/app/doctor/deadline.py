"""Ends an examination in time, even if something blocks its event loop or a thread."""

import asyncio
import threading
import time
from collections.abc import Coroutine, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Any, TypeVar

from app.core.checks import Check, not_looked_at
from app.doctor.context import Context
from app.doctor.run import CLOSE_TIMEOUT, Result, examine, skipped_after

T = TypeVar("T")


def examine_in_time(checks: Sequence[Check], context: Context) -> list[Result]:
    """Run checks as :func:`examine` does, but do not wait for work that cannot be cancelled.

    A slow import blocks the event loop. A host name lookup runs in a thread until the resolver
    gives up (glibc: after two attempts of 5 s for each name server).
    """
    seen: dict[str, Result] = {}
    began = time.monotonic()
    run_in_thread(examine(checks, context, seen=seen), context.limit + 2 * CLOSE_TIMEOUT)
    now = time.monotonic()
    for check in checks:
        if check.id not in seen:
            needed = [seen[need] for need in check.needs if need in seen]
            blocker = next((result for result in needed if result.stops_others), None)
            late = not_looked_at("it did not end in time: the doctor itself was blocked")
            seen[check.id] = Result(check, skipped_after(blocker) if blocker else late, began, now)
    return [seen[check.id] for check in checks]


def run_in_thread(work: Coroutine[Any, Any, T], timeout: float) -> T | None:
    """Run a coroutine in a daemon thread with its own event loop.

    Args:
        work: the coroutine.
        timeout: seconds to wait for the result. After that, the thread continues on its own.

    Returns:
        The result of the coroutine, or None if it did not end in time.

    Raises:
        Exception: the coroutine raised it.
    """
    outcome: Future[T] = Future()

    async def run() -> None:
        try:
            outcome.set_result(await work)
        except Exception as error:  # noqa: BLE001 - it is raised in the caller's thread
            outcome.set_exception(error)

    threading.Thread(target=lambda: asyncio.run(run()), daemon=True, name="doctor").start()
    try:
        return outcome.result(timeout)
    except FutureTimeoutError:
        return None
