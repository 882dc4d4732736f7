from app.core.config import Settings
from app.core.runs.jobs import ARQ_GRACE, JOBS
from reference import jobs


def test_every_job_has_its_limit_and_what_the_worker_tells_arq() -> None:
    rows = jobs.text().splitlines()[2:-1]
    assert len(rows) == len(JOBS)
    for row, job in zip(rows, JOBS, strict=True):
        assert f"`{job.name}`" in row
        assert job.timeout is not None
        assert row.endswith(f"| {job.timeout + ARQ_GRACE:,} s |")
    assert "| annotate the genes from one source | 7,200 s | 2 h |" in rows[0]


def test_the_last_row_is_that_of_the_setting() -> None:
    last = jobs.text().splitlines()[-1]
    default = Settings.model_fields["arq_job_timeout"].default
    assert f"`ARQ_JOB_TIMEOUT`: {default:,} s by default" in last
