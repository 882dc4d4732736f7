"""Stops an arq worker on a signal."""

import asyncio
import logging
import os
import signal
from typing import Any

from app.core.process import signals
from app.core.redis.retry import RedisRetry

logger = logging.getLogger(__name__)

SAME_STOP_SECONDS = 1.0
"""Seconds in which several signals count as one. A closing terminal sends SIGHUP twice, and a
signal to the process group may also be passed on by the program that started the worker."""

CANCEL_INTERVAL = 0.5
"""Seconds after which arq's main loop, if it still runs, is cancelled again."""


def install(
    *, main: asyncio.Task[Any], jobs: set[asyncio.Task[Any]], redis_retry: RedisRetry
) -> None:
    """Replace arq's handlers of SIGTERM and SIGINT.

    With arq's handlers, a second signal only cancels the jobs again. With these handlers:

    - Every signal that would end the process stops the worker, SIGHUP for example.
    - The first signal cancels the attempts, and their runs go back to the queue. From then on the
      worker no longer waits for an unavailable Redis.
    - Another signal, at least a second later, ends the process at once. A repeated SIGHUP does not,
      because it comes from a closing terminal and not from a person.

    Args:
        main: arq's main loop.
        jobs: the tasks that are executing jobs.
        redis_retry: retries the commands of the worker's Redis client.
    """
    loop = asyncio.get_running_loop()

    def end_main() -> None:
        # a single cancellation may be lost (see `cancelling`), and arq would continue to poll
        if not main.done():
            main.cancel()
            loop.call_later(CANCEL_INTERVAL, end_main)

    stopping_since: float | None = None

    def stop(number: int) -> None:
        nonlocal stopping_since
        if _same_stop(number, stopping_since, loop.time()):
            return
        if redis_retry.stopping:
            logger.warning("received a second signal, %s: exiting at once", signals.name(number))
            os._exit(128 + number)
        redis_retry.stopping, stopping_since = True, loop.time()
        logger.info(
            "received %s: stopping; %d jobs go back to the queue", signals.name(number), len(jobs)
        )
        _cancel(jobs)
        end_main()

    def ended(task: asyncio.Task[Any]) -> None:
        if task.cancelled() or (error := task.exception()) is None:
            return
        # arq would wait for its jobs, perhaps for hours, and pick up no others; the supervisor
        # starts a new worker
        logger.error("arq's main loop failed; the worker stops", exc_info=error)
        redis_retry.stopping = True
        _cancel(jobs)

    main.add_done_callback(ended)
    handled = {signal.SIGTERM, signal.SIGINT} | signals.unhandled()
    for number in handled:
        loop.add_signal_handler(number, stop, number)
    signals.ignore_at_exit(handled)


def _same_stop(number: int, since: float | None, now: float) -> bool:
    """Return whether a signal only repeats the one that began the stop."""
    return since is not None and (number == signal.SIGHUP or now - since < SAME_STOP_SECONDS)


def _cancel(jobs: set[asyncio.Task[Any]]) -> None:
    for job in jobs:
        job.cancel()
