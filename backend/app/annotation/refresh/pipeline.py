"""Executes the sources of a run concurrently, each after the sources that it needs."""

import asyncio
import logging
import os
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from sqlalchemy import text

from app.annotation.own_tables.registry import connected
from app.annotation.own_tables.store import OwnTableRow, current_tables
from app.annotation.refresh.acceptance import IsHeld
from app.annotation.refresh.requests import lacks_identifiers
from app.annotation.refresh.source_refresh import Refresh, nothing_but_unknowns
from app.annotation.settings import Settings
from app.annotation.sources import SOURCES
from app.annotation.sources.connector import Connector
from app.annotation.upstream import new_http_client, usable_cache_dir
from app.core.errors import KidneyGeneticsError, Superseded, UserError, Wait
from app.core.postgres.unavailable import is_unavailable
from app.core.process import tracing
from app.core.process.logs import bound_contextvars
from app.core.redis.rate_limits import RateLimiter
from app.core.runs.attempt import Attempt

logger = logging.getLogger(__name__)

_COVERED = text(
    "SELECT source, state, error FROM run_sources WHERE run_id = :run_id ORDER BY position"
)

_GENES = text("SELECT genes FROM runs WHERE id = :run_id")


class _NotBegun(NamedTuple):
    """The outcome of a source that did not begin, because one that it needs failed or waits."""

    provider: str


_Ended = str | Exception | IsHeld | _NotBegun | None
"""The outcome of a source: None for success, a string for a failure, a raised error, held, or not
begun."""

_AllEnded = dict[str, "asyncio.Future[_Ended]"]
"""The future outcome of each source of a run."""


class Pipeline:
    """Executes runs: refreshes the sources of a run.

    Args:
        settings: addresses, keys and thresholds.
        limiter: the request budgets, shared by all workers.

    Raises:
        UserError: the environment configures a proxy or certificates that cannot be used, or
            CACHE_DIR is not writable.
    """

    def __init__(self, settings: Settings, limiter: RateLimiter) -> None:
        self._settings = settings
        usable_cache_dir(settings.cache_dir)
        self._http = new_http_client(settings.upstream_timeout)
        self._connect = Connector(settings, limiter, self._http)
        self._reading = asyncio.Semaphore(os.cpu_count() or 1)

    async def close(self) -> None:
        """Close the connections to the upstream services."""
        await self._http.aclose()

    async def run(self, attempt: Attempt) -> None:
        """Execute the sources of a run that have not ended.

        A source that fails or waits does not stop the others. When all sources have ended, the
        method raises the most important outcome: first an error that another attempt may overcome,
        then a wait, then the sources that failed for good or are held.

        Raises:
            UserError: a source got nothing but unknowns, or its answers are held.
            Superseded, Wait, BadAnswer: see there.
        """
        run_id = attempt.ref.run_id
        async with attempt.reading() as connection:
            rows = (await connection.execute(_COVERED, {"run_id": run_id})).all()
            genes = (await connection.execute(_GENES, {"run_id": run_id})).scalar_one()
            own = await current_tables(connection)
        loop = asyncio.get_running_loop()
        ended: _AllEnded = {row.source: loop.create_future() for row in rows}
        try:
            async with asyncio.TaskGroup() as group:
                for row in rows:
                    group.create_task(self._follow(attempt, row, genes, own, ended))
        except BaseExceptionGroup as errors:
            superseded = [e for e in errors.exceptions if isinstance(e, Superseded)]
            raise (superseded or errors.exceptions)[0] from None
        _conclude(run_id, {name: future.result() for name, future in ended.items()})

    async def _follow(
        self,
        attempt: Attempt,
        row: Any,
        genes: list[str] | None,
        own: Mapping[str, OwnTableRow],
        ended: _AllEnded,
    ) -> None:
        """Refresh a source after the sources that it needs, and set its outcome."""
        name: str = row.source
        outcome: _Ended
        with bound_contextvars(source=name), tracing.within_source(name):
            try:
                if row.state == "succeeded":
                    outcome = None
                elif row.state == "failed":
                    outcome = str(row.error or nothing_but_unknowns(name))
                elif row.state == "held":
                    outcome = IsHeld(row.error)
                elif name not in SOURCES and name not in own:
                    outcome = f"this version has no source {name}, and no own table has this name"
                elif (provider := await _missed(attempt, name, ended)) is not None:
                    outcome = _NotBegun(provider)
                else:
                    source = connected(name, self._connect, own, attempt.reading)
                    refresh = Refresh(attempt, source, self._settings, self._reading, genes)
                    outcome = await refresh.run(afresh=row.state == "queued")
            except Exception as error:
                # these concern the whole attempt
                if isinstance(error, Superseded) or is_unavailable(error):
                    raise
                traceback = None if isinstance(error, KidneyGeneticsError) else error
                logger.warning("%s: %s", type(error).__name__, error, exc_info=traceback)
                outcome = error
        ended[name].set_result(outcome)


async def _missed(attempt: Attempt, name: str, ended: _AllEnded) -> str | None:
    """Wait for the sources that a source needs. Return one that did not provide its identifiers.

    That source's error or wait decides the outcome of the run. A source whose answers are held, or
    that has nothing but unknowns, has ended: the other source may begin.
    """
    for column, provider in _needed(name, ended):
        if isinstance(await ended[provider], Exception | _NotBegun):
            async with attempt.reading() as connection:
                if await lacks_identifiers(connection, column, provider):
                    return provider
    return None


def _needed(name: str, covered: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the identifier columns that a source needs, each with the source that fills it."""
    return [
        (column, provider)
        for column in (sorted(SOURCES[name].info.needs) if name in SOURCES else ())
        for provider in covered
        if provider in SOURCES and provider != name and column in SOURCES[provider].info.provides
    ]


def _conclude(run_id: int, ended: Mapping[str, _Ended]) -> None:
    """Raise the most important outcome of the sources.

    Raises:
        UserError, Wait, BadAnswer: see :meth:`Pipeline.run`.
    """
    raised = [each for each in ended.values() if isinstance(each, Exception)]
    for error in (each for each in raised if not isinstance(each, Wait)):
        raise error
    if waits := [each for each in raised if isinstance(each, Wait)]:
        soonest = min(waits, key=lambda wait: wait.seconds)
        raise Wait(
            ", ".join(sorted({wait.what for wait in waits})), soonest.seconds, soonest.reason
        )
    failed = [each for each in ended.values() if isinstance(each, str)]
    held = {name: each.reason for name, each in ended.items() if isinstance(each, IsHeld)}
    if failed or held:
        reasons = [*failed, *(f"{name} is held: {reason}" for name, reason in held.items())]
        raise UserError("; ".join(reasons), remedy=_remedy(run_id, held))


def _remedy(run_id: int, held: Iterable[str]) -> str:
    retry = f"`just retry {run_id}`"
    accepting = " and ".join(f"`just accept {run_id} {name}`" for name in held)
    if not accepting:
        return f"see the reasons with `just show {run_id}`, then {retry}"
    return (
        f"see what is held with `just show {run_id}`; if the source is wrong, wait until it is"
        f" fixed, then {retry}; if the answers are right, {accepting}"
    )
