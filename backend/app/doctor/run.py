"""Runs checks concurrently, with a time limit for each check and one for all checks."""

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
"""The time limit of one check, as a fraction of the time limit for all checks."""

CLOSE_TIMEOUT = 1.0
"""Seconds to wait until the connections are closed, and until cancelled checks have ended."""


@dataclass(frozen=True, slots=True)
class Result:
    """The finding of a check, with its start and end on the event loop's clock."""

    check: Check
    finding: Finding
    began: float
    ended: float

    @property
    def seconds(self) -> float:
        """The duration of the check, in seconds."""
        return self.ended - self.began

    @property
    def status(self) -> Status:
        """The status of the finding."""
        return self.finding.status

    @property
    def stops_others(self) -> bool:
        """Whether this result prevents the checks that need this check."""
        return self.status in {Status.failed, Status.skipped, Status.not_looked_at}

    @property
    def is_problem(self) -> bool:
        """Whether the result needs an operator's attention."""
        return self.status in {Status.warning, Status.failed}

    @property
    def remedy(self) -> str:
        """The commands that repair the problem, or an empty string if there is no problem."""
        if not self.is_problem:
            return ""
        fix = f"just doctor --fix --only {self.check.id}" if self.check.fix else ""
        return commands(self.finding.remedy or self.check.remedy) or fix


def with_needs(checks: Sequence[Check], chosen: Iterable[str]) -> list[Check]:
    """Return the chosen checks and the checks that they need, in the order of `checks`."""
    by_id = {check.id: check for check in checks}
    selected: set[str] = set()
    pending = list(chosen)
    while pending:
        check_id = pending.pop()
        if check_id not in selected:
            selected.add(check_id)
            pending += by_id[check_id].needs
    return [check for check in checks if check.id in selected]


async def examine(
    checks: Sequence[Check], context: Context, *, seen: dict[str, Result] | None = None
) -> list[Result]:
    """Run checks concurrently, and return the results in the order of the checks.

    A check starts when the checks that it needs have passed. If a check raises an exception or
    reaches its time limit, its result is a failure.

    Args:
        checks: the checks, including all checks that they need.
        context: the context of the checks, which this function closes at the end.
        seen: receives each result under the check's id as soon as the check has ended.
    """
    clock = asyncio.get_running_loop().time
    deadline = clock() + context.limit
    secrets = known_secrets(context)
    running: dict[str, asyncio.Task[Result]] = {}
    cancelled: set[asyncio.Task[Any]] = set()
    seen = {} if seen is None else seen

    async def blocked(check: Check) -> Finding | None:
        for need in check.needs:
            needed = await running[need]
            if needed.stops_others:
                return skipped_after(needed)
        return None

    async def result_of(check: Check, watch: LoopWatch) -> Result:
        finding = await blocked(check)
        began = clock()
        if finding is None:
            finding = await _run_check(check, context, deadline - began, watch, cancelled)
        seen[check.id] = Result(check, _without(secrets, finding), began, clock())
        return seen[check.id]

    async with LoopWatch() as watch:
        for check in checks:
            running[check.id] = asyncio.create_task(result_of(check, watch))
        await asyncio.gather(*running.values())
    await _within(context.close(), CLOSE_TIMEOUT, cancelled)
    if cancelled:
        await asyncio.wait(cancelled, timeout=CLOSE_TIMEOUT)
    return [seen[check.id] for check in checks]


async def _run_check(
    check: Check,
    context: Context,
    left: float,
    watch: LoopWatch,
    cancelled: set[asyncio.Task[Any]],
) -> Finding:
    """Run a check. A timeout counts only if this process got enough processor time to notice it."""
    limit = CHECK_SHARE * context.limit
    if left <= 0:
        return not_looked_at("the time limit for all checks was reached before this check started")
    began = watch.now()
    work = await _within(check.run(context), min(limit, left), cancelled)
    if not work.done() and left < limit:
        return not_looked_at(f"it did not end within the {left:.1f} s that were left")
    finding = _outcome(work, check, context, limit)
    if finding.by_time and not watch.on_time_since(began):
        return not_looked_at("this machine is too busy to judge whether an answer was late")
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
    text = redact(name_and_text(error), known_secrets(context))
    return _no_answer(check, text) if is_timeout(error) else _crashed(check, text)


async def _within(
    work: Coroutine[Any, Any, T], seconds: float, cancelled: set[asyncio.Task[Any]]
) -> asyncio.Task[T]:
    """Run a coroutine as a task, and cancel it after a timeout without waiting for its end.

    The end of a cancelled task may take long: psycopg, for example, first asks the server to cancel
    the query and waits for its answer.
    """
    task = asyncio.create_task(work)
    await asyncio.wait({task}, timeout=seconds)
    if not task.done():
        cancelled.add(task)
        task.add_done_callback(lambda t: t.cancelled() or t.exception())
        task.cancel()
    return task


def skipped_after(needed: Result) -> Finding:
    """Return the finding of a check that cannot run because of a check that it needs."""
    if needed.finding.summary.startswith("needs "):
        # names the first check of the chain, which is the one to repair
        return needed.finding
    if needed.status is Status.not_looked_at:
        return not_looked_at(f"needs {needed.check.id}, which was not looked at")
    how = "failed" if needed.status is Status.failed else "was skipped"
    return skipped(f"needs {needed.check.id}, which {how}")


def _no_answer(check: Check, found: str) -> Finding:
    return by_time(
        failed(
            "no answer in time",
            required="an answer in time",
            found=found,
            remedy=f"just doctor --limit 30 --only {check.id}",
        )
    )


def _crashed(check: Check, text: str) -> Finding:
    return failed(
        f"the check itself failed: {text}",
        required="a check without an error",
        found=text,
        remedy=f"just doctor --only {check.id}",
    )


def name_and_text(error: BaseException) -> str:
    """Return the type and the text of an exception."""
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
