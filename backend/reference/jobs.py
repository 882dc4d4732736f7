from app.annotation.settings import Settings
from app.core.runs.jobs import ARQ_GRACE, JOBS
from reference.markdown import table

_HEAD = ("Job", "What it does", "Timeout of an attempt", "In hours", "Timeout in arq")


def text() -> str:
    """Return a table of the jobs, with a row for jobs without their own timeout."""
    default = Settings.model_fields["arq_job_timeout"].default
    rows = [
        (f"`{job.name}`", job.purpose, *(_limit(job.timeout) if job.timeout else _default(default)))
        for job in JOBS
    ]
    return table(_HEAD, [*rows, ("any other job", "none exists now", *_default(default))])


def _limit(seconds: int) -> tuple[str, str, str]:
    return f"{seconds:,} s", f"{seconds / 3600:g} h", f"{seconds + ARQ_GRACE:,} s"


def _default(seconds: int) -> tuple[str, str, str]:
    limit, hours, given = _limit(seconds)
    return f"`ARQ_JOB_TIMEOUT`: {limit} by default", hours, f"{ARQ_GRACE} s more: {given}"
