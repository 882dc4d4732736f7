"""Runs checks concurrently, within a time limit for each of them and one for all."""

import asyncio
from collections.abc import Coroutine, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from app.core.checks import (
    Check,
    Finding,
    Status,
    Unavailable,
    by_time,
    failed,
    is_timeout,
    not_looked_at,
    skipped,
)
from app.core.process.loop_watch import LoopWatch
from app.core.process.redaction import redact
from app.doctor.context import Context
from app.doctor.recipes import commands
from app.doctor.secrets import hide, known_secrets

T = TypeVar("T")

CHECK_SHARE = 0.75
"""The share of the time limit for all checks that one check may take."""

CLOSE_TIMEOUT = 1.0
"""Seconds for closing connections, and for checks to notice that they were cancelled."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a check found, and when it started and ended by the event loop's clock."""

    check: Check
    finding: Finding
    began: float
    ended: float

    @property
    def seconds(self) -> float:
        """How long the check took."""
        return self.ended - self.began

    @property
    def status(self) -> Status:
        """The result of the check."""
        return self.finding.status

    @property
    def stops_others(self) -> bool:
        """Whether the checks that need this one cannot run."""
        return self.status in {Status.failed, Status.skipped, Status.not_looked_at}

    @property
    def is_problem(self) -> bool:
        """Whether an operator should look at it."""
        return self.status in {Status.warning, Status.failed}

    @property
    def remedy(self) -> str:
        """The commands that repair the problem; empty if there is none."""
        if not self.is_problem:
            return ""
        fix = f"just doctor --fix --only {self.check.id}" if self.check.fix else ""
        return commands(self.finding.remedy or self.check.remedy) or fix


def with_needs(checks: Sequence[Check], chosen: Iterable[str]) -> list[Check]:
    """Return the checks with these ids and the checks that they need, in their order."""
    by_id = {check.id: check for check in checks}
    wanted: set[str] = set()
    left = list(chosen)
    while left:
        name = left.pop()
        if name not in wanted:
            wanted.add(name)
            left += by_id[name].needs
    return [check for check in checks if check.id in wanted]


async def examine(
    checks: Sequence[Check], context: Context, *, seen: dict[str, Result] | None = None
) -> list[Result]:
    """Run checks concurrently, and return the results in the order of the checks.

    A check starts when the checks that it needs have passed. An exception or a timeout inside a
    check is a result like any other.

    Args:
        checks: with all checks that they need.
        context: what they look at; it is closed afterwards.
        seen: receives each result, by id, as soon as there is one.
    """
    clock = asyncio.get_running_loop().time
    deadline = clock() + context.limit
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

    async def result_of(check: Check, watch: LoopWatch) -> Result:
        finding = await blocked(check)
        began = clock()
        if finding is None:
            finding = await _look(check, context, deadline - began, watch, given_up)
        seen[check.id] = Result(check, _without(secrets, finding), began, clock())
        return seen[check.id]

    async with LoopWatch() as watch:
        for check in checks:
            running[check.id] = asyncio.create_task(result_of(check, watch))
        await asyncio.gather(*running.values())
    await _within(context.close(), CLOSE_TIMEOUT, given_up)
    if given_up:
        await asyncio.wait(given_up, timeout=CLOSE_TIMEOUT)
    return [seen[check.id] for check in checks]


async def _look(
    check: Check,
    context: Context,
    left: float,
    watch: LoopWatch,
    given_up: set[asyncio.Task[Any]],
) -> Finding:
    """Run a check. A timeout counts only if this process had the processor time to notice it."""
    limit = CHECK_SHARE * context.limit
    if left <= 0:
        return not_looked_at("the time for all checks was over before it could start")
    began = watch.now()
    work = await _within(check.run(context), min(limit, left), given_up)
    if not work.done() and left < limit:
        return not_looked_at(f"there were only {left:.1f} s left for it")
    finding = _outcome(work, check, context, limit)
    if finding.by_time and not watch.on_time_since(began):
        return not_looked_at("this machine is too busy to tell whether an answer was late")
    return finding


def _outcome(work: asyncio.Task[Finding], check: Check, context: Context, limit: float) -> Finding:
    if not work.done():
        return _no_answer(check, f"no result within {limit:.1f} s")
    if work.cancelled():
        return _crashed(check, "CancelledError")
    error = work.exception()
    if error is None:
        return work.result()
    if isinstance(error, Unavailable):
        return skipped(str(error))
    said = redact(name_and_text(error), known_secrets(context))
    return _no_answer(check, said) if is_timeout(error) else _crashed(check, said)


async def _within(
    work: Coroutine[Any, Any, T], seconds: float, given_up: set[asyncio.Task[Any]]
) -> asyncio.Task[T]:
    """Run something, and cancel it after a timeout without waiting until it has ended.

    psycopg, for example, first asks the server to cancel the query and waits for its answer.
    """
    task = asyncio.create_task(work)
    await asyncio.wait({task}, timeout=seconds)
    if not task.done():
        given_up.add(task)
        task.add_done_callback(lambda t: t.cancelled() or t.exception())
        task.cancel()
    return task


def skipped_after(before: Result) -> Finding:
    """Report that a check cannot run because of the result of one that it needs."""
    if before.finding.summary.startswith("needs "):
        # name the check to repair, which is the first one of the chain
        return before.finding
    if before.status is Status.not_looked_at:
        return not_looked_at(f"needs {before.check.id}, which was not looked at")
    how = "failed" if before.status is Status.failed else "was skipped"
    return skipped(f"needs {before.check.id}, which {how}")


def _no_answer(check: Check, found: str) -> Finding:
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
        required="a check without an error",
        found=said,
        remedy=f"just doctor --only {check.id}",
    )


def name_and_text(error: BaseException) -> str:
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
        remedy=hide(commands(finding.remedy), secrets),
    )
