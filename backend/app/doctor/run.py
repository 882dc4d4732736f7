"""Runs checks side by side, each within its time and all within theirs."""

import asyncio
from collections.abc import Coroutine, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from app.core.process.loop_watch import LoopWatch
from app.core.process.redaction import redact
from app.doctor.check import (
    Check,
    Finding,
    Status,
    by_time,
    failed,
    is_timeout,
    not_looked_at,
    skipped,
)
from app.doctor.context import WHOLE, Context, Unavailable
from app.doctor.secrets import hide, known_secrets

T = TypeVar("T")

EACH = 0.75
"""The share of the time for all checks that one may take."""

FAREWELL = 0.2
"""Seconds that connections get to be closed, and checks that were given up to notice it."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a check found, and when it began and ended, by the event loop's clock."""

    check: Check
    finding: Finding
    began: float
    ended: float

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.ended - self.began

    @property
    def status(self) -> Status:
        """How the check ended."""
        return self.finding.status

    @property
    def stops_others(self) -> bool:
        """Whether what needs this check has nothing to look at."""
        return self.status in {Status.failed, Status.skipped, Status.not_looked_at}

    @property
    def is_problem(self) -> bool:
        """Whether somebody should look at it."""
        return self.status in {Status.warning, Status.failed}

    @property
    def remedy(self) -> str:
        """The commands that mend what was found; empty when nothing has to be."""
        return (self.finding.remedy or self.check.remedy) if self.is_problem else ""


def with_needs(checks: Sequence[Check], chosen: Iterable[str]) -> list[Check]:
    """Return the checks with these ids and what they need, in their order."""
    by_id = {each.id: each for each in checks}
    wanted: set[str] = set()
    look_at = list(chosen)
    while look_at:
        name = look_at.pop()
        if name not in wanted:
            wanted.add(name)
            look_at += by_id[name].needs
    return [each for each in checks if each.id in wanted]


async def examine(
    checks: Sequence[Check],
    context: Context,
    *,
    each: float | None = None,
    whole: float = WHOLE,
    seen: dict[str, Result] | None = None,
) -> list[Result]:
    """Run checks at the same time, and return what they found in the order of ``checks``.

    A check starts when those it needs have passed, and is skipped when one of them has not.
    What goes wrong inside a check, or takes too long, is a result as any other.

    Args:
        checks: with everything that they need among them.
        context: what they look at; it is closed afterwards.
        each: seconds that one may take; left out, :data:`EACH` of all.
        whole: seconds that all may take.
        seen: takes each result, by id, as soon as it is there.
    """
    clock = asyncio.get_running_loop().time
    deadline = clock() + whole
    each = EACH * whole if each is None else each
    secrets = known_secrets(context)
    running: dict[str, asyncio.Task[Result]] = {}
    given_up: set[asyncio.Task[Any]] = set()
    seen = {} if seen is None else seen

    async def blocked(check: Check) -> Finding | None:
        for need in check.needs:
            before = await running[need]
            if before.stops_others:
                return skipped_after(before)
        return None

    async def result_of(check: Check) -> Result:
        finding = await blocked(check)
        began = clock()
        if finding is None:
            left = deadline - began
            finding = await _look(check, context, _Time(each, left, watch), given_up)
        seen[check.id] = Result(check, _without(secrets, finding), began, clock())
        return seen[check.id]

    async with LoopWatch() as watch:
        for check in checks:
            running[check.id] = asyncio.create_task(result_of(check))
        await asyncio.gather(*running.values())
    await _within(context.close(), FAREWELL, given_up)
    if given_up:
        await asyncio.wait(given_up, timeout=FAREWELL)
    return [seen[check.id] for check in checks]


@dataclass(frozen=True, slots=True)
class _Time:
    """What time there is: seconds for one check, and those left for all; and who wastes it."""

    each: float
    left: float
    watch: LoopWatch


async def _look(
    check: Check, context: Context, time: _Time, given_up: set[asyncio.Task[Any]]
) -> Finding:
    """Run a check, and blame nobody for a time that the doctor itself did not have."""
    if time.left <= 0:
        return not_looked_at("its turn came when the time for all checks was over")
    patience = min(time.each, time.left)
    began = time.watch.now()
    work = await _within(check.run(context), patience, given_up)
    on_time = time.watch.on_time_since(began)
    if not work.done() and patience < time.each:
        return not_looked_at(f"there were only {patience:.1f} s left for it")
    finding = _outcome(work, check, context, patience)
    if finding.by_time and not on_time:
        return not_looked_at("there was no time for it, as this machine is busy")
    return finding


def _outcome(
    work: asyncio.Task[Finding], check: Check, context: Context, patience: float
) -> Finding:
    if not work.done():
        return no_answer(check, f"none within {patience:.1f} s")
    if work.cancelled():
        return _crashed(check, "CancelledError")
    error = work.exception()
    if error is None:
        return work.result()
    if isinstance(error, Unavailable):
        return skipped(str(error))
    said = redact(in_words(error), known_secrets(context))
    return no_answer(check, said) if is_timeout(error) else _crashed(check, said)


async def _within(
    work: Coroutine[Any, Any, T], patience: float, given_up: set[asyncio.Task[Any]]
) -> asyncio.Task[T]:
    """Give something time, then cancel it without waiting for it to notice.

    psycopg for one asks the server to cancel the query first, and waits for the answer.
    """
    task = asyncio.create_task(work)
    await asyncio.wait({task}, timeout=patience)
    if not task.done():
        given_up.add(task)
        task.add_done_callback(lambda t: t.cancelled() or t.exception())
        task.cancel()
    return task


def skipped_after(before: Result) -> Finding:
    """Say which check has to be mended before one that needs it can be run."""
    if before.status is Status.failed:
        return skipped(f"needs {before.check.id}, which failed")
    if before.status is Status.not_looked_at:
        if before.finding.summary.startswith("needs "):
            return before.finding
        return not_looked_at(f"needs {before.check.id}, which was not looked at")
    if before.finding.summary.startswith("needs "):
        # the one that is to be mended, and not the next in the chain
        return before.finding
    return skipped(f"needs {before.check.id}, which was skipped")


def no_answer(check: Check, found: str) -> Finding:
    """Say that a check took too long."""
    return by_time(
        failed(
            "no answer in time",
            required="an answer in time",
            found=found,
            remedy=f"just doctor --limit 30 --only {check.id}",
        )
    )


def _crashed(check: Check, said: str) -> Finding:
    return failed(
        f"the check itself failed: {said}",
        required="a check that ends",
        found=said,
        remedy=f"just doctor --only {check.id}",
    )


def in_words(error: BaseException) -> str:
    """Return an exception's type and text."""
    text = str(error).strip()
    name = type(error).__name__
    return f"{name}: {text}" if text else name


def _without(secrets: frozenset[str], finding: Finding) -> Finding:
    return replace(
        finding,
        summary=hide(finding.summary, secrets),
        required=hide(finding.required, secrets),
        found=hide(finding.found, secrets),
        remedy=hide(finding.remedy, secrets),
    )
