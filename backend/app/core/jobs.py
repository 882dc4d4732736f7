"""The job table: every job that a worker knows, with its limit. Nothing else names a timeout."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

from app.core.errors import WrongUse

Mode = Literal["smart", "full"]
MODES: tuple[Mode, ...] = get_args(Mode)

ARQ_GRACE = 60
"""Seconds that arq is given on top, so that a limit of ours is told apart from a shutdown."""


@dataclass(frozen=True, slots=True)
class Job:
    """A job that a worker executes.

    Attributes:
        name: as arq and the `runs` table know it.
        timeout: seconds that an attempt may take; None means `ARQ_JOB_TIMEOUT`.
        purpose: for the operator.
    """

    name: str
    timeout: int | None
    purpose: str


ONE_SOURCE = Job("run_pipeline_task", 7_200, "annotate the genes from one source")
SEVERAL_SOURCES = Job(
    "run_annotation_pipeline_task", 21_600, "annotate the genes from several or all sources"
)
JOBS = (ONE_SOURCE, SEVERAL_SOURCES)


def time_limit(task: str, default: int) -> int:
    """Return the seconds that an attempt of ``task`` may take."""
    return next((job.timeout for job in JOBS if job.name == task and job.timeout), default)


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What an operator asked for. Two requests are the same when they are equal.

    Attributes:
        sources: sorted and unique; None means all.
        mode: ``smart`` refreshes what is missing, unknown or stale, ``full`` everything.
    """

    sources: tuple[str, ...] | None
    mode: Mode = "smart"

    @classmethod
    def of(cls, sources: Iterable[str] | None, mode: str = "smart") -> "RunRequest":
        """Build a request from what a client sent.

        Raises:
            WrongUse: when the list of sources is empty or the mode is unknown.
        """
        if mode not in MODES:
            raise WrongUse(f"unknown mode {mode!r}", allowed=" or ".join(MODES))
        names = None if sources is None else tuple(sorted(set(sources)))
        if names == ():
            raise WrongUse(
                "the list of sources is empty",
                allowed="names of sources, or none at all (null) for all of them",
            )
        return cls(names, mode)

    @property
    def task(self) -> str:
        """The name of the job that does it."""
        one = self.sources is not None and len(self.sources) == 1
        return (ONE_SOURCE if one else SEVERAL_SOURCES).name
