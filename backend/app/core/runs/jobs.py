"""The job table: every job that a worker knows, with its limit. Nothing else names a timeout."""

from dataclasses import dataclass

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
