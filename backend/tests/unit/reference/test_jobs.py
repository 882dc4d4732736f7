from app.annotation.settings import Settings
from app.core.runs.jobs import ARQ_GRACE, JOBS
from reference import jobs


def test_every_job_is_shown_with_its_timeout_and_that_in_arq() -> None:
    rows = jobs.text().splitlines()[2:-1]
    assert len(rows) == len(JOBS)
    for row, job in zip(rows, JOBS, strict=True):
        assert f"`{job.name}`" in row
        assert job.timeout is not None
        assert row.endswith(f"| {job.timeout + ARQ_GRACE:,} s |")
    assert "| annotate the genes from one source | 7,200 s | 2 h |" in rows[0]


def test_the_last_row_shows_the_default_timeout() -> None:
    last = jobs.text().splitlines()[-1]
    default = Settings.model_fields["arq_job_timeout"].default
    assert f"`ARQ_JOB_TIMEOUT`: {default:,} s by default" in last
