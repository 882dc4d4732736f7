"""The jobs that a worker knows, and their timeouts, which only this module defines."""

from dataclasses import dataclass

ARQ_GRACE = 60
"""Seconds by which arq's timeout exceeds the engine's, so that the engine's always fires first."""


@dataclass(frozen=True, slots=True)
class Job:
    """A job that a worker executes.

    Attributes:
        name: the name in arq and in the `runs` table.
        timeout: the timeout of an attempt in seconds; None means `ARQ_JOB_TIMEOUT`.
        purpose: what the job does, for operators.
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
    """Return the timeout of an attempt in seconds.

    Args:
        task: the name of the job.
        default: the timeout of jobs without one of their own.
    """
    return next((job.timeout for job in JOBS if job.name == task and job.timeout), default)
