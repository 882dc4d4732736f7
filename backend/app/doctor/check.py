"""What a check is, and what it may find."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from app.doctor.context import Context


class Status(StrEnum):
    """How a check ended.

    Only ``failed`` makes the doctor fail; when strict, ``warning`` and ``not_looked_at`` do, too.
    """

    ok = "ok"
    warning = "warning"
    failed = "failed"
    skipped = "skipped"
    not_looked_at = "not_looked_at"
    """There was no time, as the machine or the doctor itself was busy: nothing is known."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check saw.

    Attributes:
        status: how it ended.
        summary: one line, without a secret.
        required: of a problem, what would be right.
        found: of a problem, what there is instead.
        remedy: commands that mend it, where they depend on what was found; they can be pasted in
            the top folder of the checkout.
        by_time: whether it was found because something took long; it counts only if the doctor's
            own event loop was on time.
    """

    status: Status
    summary: str
    required: str = ""
    found: str = ""
    remedy: str = ""
    by_time: bool = False


Run = Callable[[Context], Coroutine[Any, Any, Finding]]
Fix = Callable[[Context], Coroutine[Any, Any, str | None]]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that can be wrong, how it shows, why it matters and what mends it.

    Attributes:
        id: ``group.name``, for ``--only`` and as the anchor of the troubleshooting page.
        title: what is right when it passes, in a few words.
        symptom: what an operator notices when it is not; a sentence.
        why: what happens to the operator when it is not.
        run: looks, and changes nothing.
        needs: ids of the checks without which this one has nothing to look at.
        remedy: commands that mend it, unless the finding brings its own.
        fix: mends it and says what it did, or None when there was nothing to do. Only what is
            safe, local and reversible, and does no harm when done twice.
    """

    id: str
    title: str
    symptom: str
    why: str
    run: Run
    needs: tuple[str, ...] = ()
    remedy: str = ""
    fix: Fix | None = None

    @property
    def group(self) -> str:
        """The first part of the id: the subject."""
        return self.id.partition(".")[0]

    @property
    def docs(self) -> str:
        """Where the check is explained."""
        return f"docs/troubleshooting.md#{self.id.replace('.', '-')}"


def check(
    id: str,  # noqa: A002 - it is what the field is called
    title: str,
    *,
    symptom: str,
    why: str,
    remedy: str = "",
    needs: tuple[str, ...] = (),
    fix: Fix | None = None,
) -> Callable[[Run], Check]:
    """Make a check of a function; see :class:`Check` for the arguments."""

    def make(run: Run) -> Check:
        return Check(id, title, symptom, why, run, needs, remedy, fix)

    return make


def ok(summary: str) -> Finding:
    """Say that nothing is wrong, or that what the check is about is not used here."""
    return Finding(Status.ok, summary)


def warning(summary: str, *, required: str, found: str, remedy: str = "") -> Finding:
    """Say what an operator should know of, and what works all the same."""
    return Finding(Status.warning, summary, required, found, remedy)


def failed(summary: str, *, required: str, found: str, remedy: str = "") -> Finding:
    """Say what does not work, or will not."""
    return Finding(Status.failed, summary, required, found, remedy)


def skipped(summary: str) -> Finding:
    """Say why there was nothing to look at."""
    return Finding(Status.skipped, summary)


def not_looked_at(summary: str) -> Finding:
    """Say why there was no time to look."""
    return Finding(Status.not_looked_at, summary)


def by_time(finding: Finding) -> Finding:
    """Say that something was found because there was no answer in time, or a late one."""
    return replace(finding, by_time=True)


_TIMEOUTS = {
    *("TimeoutError", "ConnectTimeout", "ReadTimeout", "WriteTimeout", "PoolTimeout"),
    *("ConnectionTimeout", "QueryCanceled"),
}
"""Of Python, redis-py, httpx, SQLAlchemy and psycopg, none of which is imported for this."""


def is_timeout(error: BaseException | None) -> bool:
    """Tell whether an exception says that something took too long, or comes of one that does."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        if _TIMEOUTS & {kind.__name__ for kind in type(error).__mro__}:
            return True
        seen.add(id(error))
        error = error.__cause__ or error.__context__
    return False
