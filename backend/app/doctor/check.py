"""What a check is, and what it may find."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from app.doctor.context import Context


class Status(StrEnum):
    """How a check ended. Only ``failed`` makes the doctor fail, and ``warning`` when strict."""

    ok = "ok"
    warning = "warning"
    failed = "failed"
    skipped = "skipped"


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
    """

    status: Status
    summary: str
    required: str = ""
    found: str = ""
    remedy: str = ""


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
