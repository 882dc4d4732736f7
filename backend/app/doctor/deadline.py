"""Ends in time, whatever the checks are still waiting for."""

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any, TypeVar

from app.doctor.check import Check, not_looked_at
from app.doctor.context import Context
from app.doctor.run import FAREWELL, Result, examine, skipped_after

T = TypeVar("T")

THREADS = "doctor"
"""The name of threads that the process does not wait for."""


def examine_in_time(checks: Sequence[Check], context: Context, whole: float) -> list[Result]:
    """Run checks as :func:`examine` does, and wait no longer even for what blocks the event loop.

    On a busy machine the import of a large library alone does so for seconds.
    """
    seen: dict[str, Result] = {}
    began = time.monotonic()
    work = examine(checks, context, whole=whole, seen=seen)
    done = _Abandoned().submit(run_to_end, work)
    wait([done], timeout=whole + 2 * FAREWELL)
    if done.done():
        results: list[Result] = done.result()
        return results
    now = time.monotonic()
    for check in checks:
        if check.id not in seen:
            before = [seen[need] for need in check.needs if need in seen]
            stops = next((each for each in before if each.stops_others), None)
            late = not_looked_at("there was no time: the doctor itself was held up")
            finding = skipped_after(stops) if stops else late
            seen[check.id] = Result(check, finding, began, now)
    return [seen[check.id] for check in checks]


def run_to_end(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine as :func:`asyncio.run` does, but wait for nothing that it has given up.

    A look-up of a name cannot be cancelled: it goes on in a thread for as long as the resolver
    likes (glibc: 5 s an attempt, two attempts a name server), and both the loop and the
    interpreter would wait for it before they end.
    """
    loop = asyncio.new_event_loop()
    loop.set_default_executor(_Abandoned())
    # what is left behind is destroyed while it is pending, and that is meant
    loop.set_exception_handler(lambda _loop, _context: None)
    try:
        return loop.run_until_complete(work)
    finally:
        loop.close()


class _Abandoned(ThreadPoolExecutor):
    """Threads that nobody waits for."""

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        future: Future[T] = Future()

        def work() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                result = fn(*args, **kwargs)
            except BaseException as error:  # noqa: BLE001 - it is raised where it is awaited
                future.set_exception(error)
            else:
                future.set_result(result)

        threading.Thread(target=work, daemon=True, name=THREADS).start()
        return future
