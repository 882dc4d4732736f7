import asyncio
import logging
import os
import signal
from typing import Any

from app.core.process import signals
from app.core.redis.retry import RedisRetry

logger = logging.getLogger(__name__)

ONE_STOP = 1.0
"""Seconds in which several signals are one: a terminal that is closed sends SIGHUP twice, and a
program that started the worker hands on what the whole group was sent."""

CANCEL_AGAIN = 0.5
"""Seconds after which a main loop that did not end is cancelled again; it has nothing to clean."""


def install(
    *, main: asyncio.Task[Any], jobs: set[asyncio.Task[Any]], redis_retry: RedisRetry
) -> None:
    """Take over SIGTERM and SIGINT from arq, whose second signal only cancels again.

    Every other signal that would end the process is the same, like the SIGHUP of a terminal that is
    closed. The first signal cancels what is running, which goes back to the queue, and makes Redis'
    absence no reason to stay. Another signal, a second later or more, ends the process at once. A
    repeated SIGHUP never does: a closing terminal sends it, and nobody asks for an immediate end.

    Args:
        main: arq's main loop.
        jobs: the tasks that execute jobs now.
        redis_retry: of the Redis client.
    """
    loop = asyncio.get_running_loop()

    def end_main() -> None:
        # once is not always enough (see `cancelling`): arq would poll on
        if not main.done():
            main.cancel()
            loop.call_later(CANCEL_AGAIN, end_main)

    stopping_since: float | None = None

    def stop(number: int) -> None:
        nonlocal stopping_since
        if _same_stop(number, stopping_since, loop.time()):
            return
        if redis_retry.stopping:
            logger.warning("second %s: exit at once", signals.name(number))
            os._exit(128 + number)
        redis_retry.stopping, stopping_since = True, loop.time()
        logger.info("%s: stopping, %d jobs go back to the queue", signals.name(number), len(jobs))
        _cancel(jobs)
        end_main()

    def ended(task: asyncio.Task[Any]) -> None:
        if task.cancelled() or (error := task.exception()) is None:
            return
        # arq would wait for its jobs, for hours, and pick up nothing; who starts it again helps
        logger.error("arq's main loop failed, the worker stops", exc_info=error)
        redis_retry.stopping = True
        _cancel(jobs)

    main.add_done_callback(ended)
    for number in {signal.SIGTERM, signal.SIGINT} | signals.unheeded():
        loop.add_signal_handler(number, stop, number)


def _same_stop(number: int, since: float | None, now: float) -> bool:
    """Tell whether a signal is an echo of the one that began the stop."""
    return since is not None and (number == signal.SIGHUP or now - since < ONE_STOP)


def _cancel(jobs: set[asyncio.Task[Any]]) -> None:
    for job in jobs:
        job.cancel()
