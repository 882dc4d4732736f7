"""The vocabulary of the doctor's checks.

Each component keeps the checks of its own set-up in a module ``checks.py``. The doctor runs them.
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
"""What repairs a problem: steps, and lines that can be pasted into a shell at the top of the
checkout."""


class Status(StrEnum):
    """The result of a check. Only ``failed`` makes the doctor fail, unless it is strict."""

    ok = "ok"
    warning = "warning"
    failed = "failed"
    skipped = "skipped"
    not_looked_at = "not_looked_at"
    """The machine or the doctor was too busy to find out."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found.

    Attributes:
        status: the result.
        summary: one line, without secrets.
        required: for a problem, what is required.
        found: for a problem, what was found instead.
        remedy: what repairs it, if that depends on what was found.
        detail: the numbers of the summary, for programs.
        by_time: the check found this because an answer was late or missing. The finding counts
            only if the doctor's own event loop was on time.
    """

    status: Status
    summary: str
    required: str = ""
    found: str = ""
    remedy: Remedy = ""
    detail: Mapping[str, Any] = field(default_factory=dict)
    by_time: bool = False


class Context(Protocol):
    """What a component's checks can use. `app.doctor.context` implements it."""

    environ: Mapping[str, str]
    units: Path
    """The directory with the installed systemd units."""
    offline: bool
    """Whether nothing outside of this installation is asked."""

    @property
    def settings(self) -> "Settings":
        """The settings. A check that uses them needs ``config.valid``."""

    @property
    def answer_timeout(self) -> float:
        """How many seconds a server has to accept a connection or to answer."""

    def redis(self) -> "Redis":
        """Return a client that connects when it is first used, and returns bytes."""

    def database(self) -> "AsyncEngine":
        """Return an engine that connects when it is first used."""

    async def rows(self, statement: "TextClause", **values: Any) -> Sequence[Any]:
        """Execute a statement that only reads, and return its rows."""


# a component's check takes a `Context`, one of the doctor's or of a source the doctor's own class
Run = Callable[[Any], Coroutine[Any, Any, Finding]]
Fix = Callable[[Any], Coroutine[Any, Any, str | None]]


@dataclass(frozen=True, slots=True)
class Check:
    """Something that can be wrong.

    Attributes:
        id: ``group.name``, for ``--only`` and as the anchor on the troubleshooting page.
        title: the requirement, in a few words.
        symptom: what an operator notices when it is not met, as a sentence.
        why: what this means for the operator.
        run: finds out, without changing anything.
        needs: ids of the checks that have to pass first.
        remedy: what repairs it, unless the finding says so.
        fix: repairs it and returns what it did, or None when there was nothing to do. A fix is
            safe, local, reversible and idempotent.
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
        """The section that describes the check."""
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
    """Report that nothing is wrong, or that the installation does not use this."""
    return Finding(Status.ok, summary, detail=detail)


def warning(
    summary: str, *, required: str, found: str, remedy: Remedy = "", **detail: Any
) -> Finding:
    """Report what an operator should know although everything works."""
    return Finding(Status.warning, summary, required, found, remedy, detail)


def failed(summary: str, *, required: str, found: str, remedy: Remedy = "") -> Finding:
    """Report what does not work, or soon will not."""
    return Finding(Status.failed, summary, required, found, remedy)


def refused(error: UserError) -> Finding:
    """Report an error that another command would stop with."""
    commands = tuple(re.findall(r"`([a-z][^`]*)`", error.remedy))
    return failed(
        error.found,
        required=error.allowed,
        found=error.found,
        remedy=(*commands, *error.steps) or EDIT_SETTINGS,
    )


def skipped(summary: str) -> Finding:
    """Report why the check does not apply."""
    return Finding(Status.skipped, summary)


def not_looked_at(summary: str) -> Finding:
    """Report why there was no time to find out."""
    return Finding(Status.not_looked_at, summary)


def by_time(finding: Finding) -> Finding:
    """Mark a finding as the result of a late or missing answer."""
    return replace(finding, by_time=True)


class Unavailable(KidneyGeneticsError):
    """The check cannot find out, and no problem is known. It is skipped."""


_TIMEOUTS = {
    *("TimeoutError", "ConnectTimeout", "ReadTimeout", "WriteTimeout", "PoolTimeout"),
    *("ConnectionTimeout", "QueryCanceled"),
}
"""Exceptions of Python, redis-py, httpx, SQLAlchemy and psycopg, by name to avoid the imports."""


def is_timeout(error: BaseException | None) -> bool:
    """Tell whether an exception is a timeout, or was caused by one."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        if _TIMEOUTS & {kind.__name__ for kind in type(error).__mro__}:
            return True
        seen.add(id(error))
        error = error.__cause__ or error.__context__
    return False
