"""Runs checks inside the API and keeps their results until they run again."""

import asyncio
import logging
import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from app.annotation.settings import Settings
from app.core.checks import Check
from app.core.errors import Conflict
from app.doctor.context import TIME_LIMIT, Context
from app.doctor.deadline import examine_in_time
from app.doctor.libraries import load_libraries
from app.doctor.registry import CHECKS
from app.doctor.run import Result, with_needs

logger = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Seen:
    """The last result of a check, and the time of it."""

    result: Result
    at: datetime


class KeptResults:
    """The results of the doctor in this process, which never repairs anything.

    The checks run in a thread with its own event loop and connections, so that neither requests
    nor the shutdown of the process wait for them. There is only one examination at a time, because
    the checks send requests to the sources and use connections to PostgreSQL.

    Args:
        settings: the settings to check. None means that each examination reads the environment and
            ``.env`` anew, as the command does.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        self._settings = settings
        self._seen: dict[str, Seen] = {}
        self._chosen: frozenset[str] = frozenset()
        self._running: asyncio.Task[None] | None = None

    @property
    def is_running(self) -> bool:
        """Whether an examination is in progress."""
        return self._running is not None and not self._running.done()

    def seen(self) -> list[Seen]:
        """Return the last results, in the order of the registry."""
        return [self._seen[check.id] for check in CHECKS if check.id in self._seen]

    async def examine(self, chosen: Collection[str]) -> None:
        """Run checks and the checks that they need, and wait until they have ended.

        If an examination in progress covers the checks, this method waits for its end. Cancelling
        this method does not stop the checks.

        Args:
            chosen: the ids of the checks.

        Raises:
            Conflict: an examination that does not cover these checks is in progress.
        """
        if self._running is None or self._running.done():
            self._chosen = frozenset(chosen)
            self._running = asyncio.create_task(self._examine(), name="doctor")
            self._running.add_done_callback(lambda task: task.cancelled() or task.exception())
        elif not self._chosen.issuperset(chosen):
            raise Conflict(
                "the doctor is running other checks",
                allowed="one examination at a time",
                remedy="wait a few seconds, and try again",
            )
        await asyncio.shield(self._running)

    def stop(self) -> None:
        """Stop waiting for the checks. A check that still runs ends with the process."""
        if self._running is not None:
            self._running.cancel()

    async def _examine(self) -> None:
        checks = with_needs(CHECKS, self._chosen)
        results = await _in_thread(lambda: self._run(checks))
        now = datetime.now(UTC)
        self._seen |= {result.check.id: Seen(result, now) for result in results}

    def _run(self, checks: Sequence[Check]) -> list[Result]:
        slowness = load_libraries(checks)
        return examine_in_time(
            checks, Context(settings=self._settings, limit=TIME_LIMIT * slowness)
        )


async def _in_thread(work: Callable[[], T]) -> T:
    """Call a function in a daemon thread. The event loop's executor would delay the shutdown."""
    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[T] = loop.create_future()

    def end(value: T | None, error: Exception | None) -> None:
        if outcome.done():
            return
        if error is not None:
            outcome.set_exception(error)
        else:
            outcome.set_result(value)  # type: ignore[arg-type]

    def run() -> None:
        value, error = None, None
        try:
            value = work()
        except Exception as raised:  # noqa: BLE001 - it is raised where the work is awaited
            error = raised
        try:
            loop.call_soon_threadsafe(end, value, error)
        except RuntimeError:
            logger.info("the process stopped before the doctor had ended")

    threading.Thread(target=run, daemon=True, name="doctor of the API").start()
    return await outcome
