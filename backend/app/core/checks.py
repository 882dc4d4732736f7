"""The types and functions with which checks of the doctor are written.

Each component has the checks of its own set-up in a module ``checks.py``. The doctor runs them.
"""

import re
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from app.core.errors import EDIT_SETTINGS, KidneyGeneticsError, Step, UserError

if TYPE_CHECKING:
    from redis.asyncio import Redis
    from sqlalchemy import TextClause
    from sqlalchemy.ext.asyncio import AsyncEngine

    from app.core.config import Settings

Remedy = str | Step | tuple[str | Step, ...]
"""How to repair a problem: steps, and lines that can be pasted into a shell in the top folder of
the checkout."""


class Status(StrEnum):
    """The result of a check. Only ``failed`` makes the doctor fail, unless it is strict."""

    ok = "ok"
    warning = "warning"
    failed = "failed"
    skipped = "skipped"
    not_looked_at = "not_looked_at"
    """The machine or the doctor was too busy to run the check."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The finding of a check.

    Attributes:
        status: the result.
        summary: one line, without secrets.
        required: for a problem, the required state.
        found: for a problem, the actual state.
        remedy: how to repair the problem, if that depends on the actual state.
        detail: the numbers in the summary, for programs.
        by_time: whether the finding is based on a late or missing reply. Such a finding counts only
            if the doctor's own event loop was on time.
    """

    status: Status
    summary: str
    required: str = ""
    found: str = ""
    remedy: Remedy = ""
    detail: Mapping[str, Any] = field(default_factory=dict)
    by_time: bool = False


class Context(Protocol):
    """The interface that a component's checks use. `app.doctor.context` implements it."""

    environ: Mapping[str, str]
    units: Path
    """The directory with the installed systemd units."""
    offline: bool
    """Whether checks must send no requests outside of this installation."""

    @property
    def settings(self) -> "Settings":
        """The settings. A check that uses them must list ``config.valid`` in ``needs``."""

    @property
    def answer_timeout(self) -> float:
        """The time that a server has to accept a connection or to reply, in seconds."""

    def redis(self) -> "Redis":
        """Return a client that connects on first use, and that returns bytes."""

    def database(self) -> "AsyncEngine":
        """Return an engine that connects on first use."""

    async def rows(self, statement: "TextClause", **values: Any) -> Sequence[Any]:
        """Execute a read-only statement and return its rows."""


# `Any`, because the checks of components take a `Context`, and those of the doctor and of sources
# take the doctor's own class
Run = Callable[[Any], Coroutine[Any, Any, Finding]]
Fix = Callable[[Any], Coroutine[Any, Any, str | None]]


@dataclass(frozen=True, slots=True)
class Check:
    """A check of one requirement.

    Attributes:
        id: ``group.name``, for ``--only`` and as the anchor on the troubleshooting page.
        title: the requirement, in a few words.
        symptom: a sentence that describes what an operator notices if the requirement is not met.
        why: the consequence for the operator.
        run: runs the check, without changing anything.
        needs: ids of the checks that must pass first.
        remedy: how to repair the problem, unless the finding has a remedy.
        fix: repairs the problem and returns a description of the change; None if there was nothing
            to do. A fix is safe, local, reversible and idempotent.
    """

    id: str
    title: str
    symptom: str
    why: str
    run: Run
    needs: tuple[str, ...] = ()
    remedy: Remedy = ""
    fix: Fix | None = None

    @property
    def group(self) -> str:
        """The first part of the id."""
        return self.id.partition(".")[0]

    @property
    def docs(self) -> str:
        """The section of the documentation that describes the check."""
        return f"docs/troubleshooting.md#{self.id.replace('.', '-')}"


def check(
    id: str,  # noqa: A002 - the name of the attribute
    title: str,
    *,
    symptom: str,
    why: str,
    remedy: Remedy = "",
    needs: tuple[str, ...] = (),
    fix: Fix | None = None,
) -> Callable[[Run], Check]:
    """Turn a function into a check. See :class:`Check` for the arguments."""

    def make(run: Run) -> Check:
        return Check(id, title, symptom, why, run, needs, remedy, fix)

    return make


def ok(summary: str, **detail: Any) -> Finding:
    """Report that the requirement is met, or that the installation does not use the component."""
    return Finding(Status.ok, summary, detail=detail)


def warning(
    summary: str, *, required: str, found: str, remedy: Remedy = "", **detail: Any
) -> Finding:
    """Report something that an operator should know although everything works."""
    return Finding(Status.warning, summary, required, found, remedy, detail)


def failed(summary: str, *, required: str, found: str, remedy: Remedy = "") -> Finding:
    """Report something that does not work, or soon will not."""
    return Finding(Status.failed, summary, required, found, remedy)


def refused(error: UserError) -> Finding:
    """Report an error with which another command would fail."""
    commands = tuple(re.findall(r"`([a-z][^`]*)`", error.remedy))
    return failed(
        error.found,
        required=error.allowed,
        found=error.found,
        remedy=(*commands, *error.steps) or EDIT_SETTINGS,
    )


def skipped(summary: str) -> Finding:
    """Report that the check does not apply, with the reason."""
    return Finding(Status.skipped, summary)


def not_looked_at(summary: str) -> Finding:
    """Report that there was no time for the check, with the reason."""
    return Finding(Status.not_looked_at, summary)


def by_time(finding: Finding) -> Finding:
    """Mark a finding as based on a late or missing reply."""
    return replace(finding, by_time=True)


class Unavailable(KidneyGeneticsError):
    """The check cannot be done, for a reason that is not a problem. It is skipped."""


_TIMEOUTS = {
    *("TimeoutError", "ConnectTimeout", "ReadTimeout", "WriteTimeout", "PoolTimeout"),
    *("ConnectionTimeout", "QueryCanceled"),
}
"""Timeouts of Python, redis-py, httpx, SQLAlchemy and psycopg, by name to avoid the imports."""


def is_timeout(error: BaseException | None) -> bool:
    """Return whether an exception is a timeout, or was caused by one."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        if _TIMEOUTS & {kind.__name__ for kind in type(error).__mro__}:
            return True
        seen.add(id(error))
        error = error.__cause__ or error.__context__
    return False
