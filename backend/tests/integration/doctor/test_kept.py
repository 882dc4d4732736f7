"""The checks of what is kept: sizes, what is to be removed, and the disk."""

import json
import os
import time
from pathlib import Path

import pytest

from app.annotation.data import checks
from app.core.checks import Status
from tests.integration.doctor.ward import change, equip, query
from tests.patient import Patient


@pytest.fixture
def patient(patient: Patient) -> Patient:
    return equip(patient)


def run(patient: Patient, days: int, count: int = 1) -> None:
    """Insert runs of one request that ended a number of days ago."""
    query(
        patient,
        "WITH made AS (INSERT INTO runs (task, sources, mode, state, finished_at)"
        " SELECT 'run_pipeline_task', '{hgnc}', 'smart', 'succeeded',"
        " now() - make_interval(days => %s) FROM generate_series(1, %s) RETURNING id, finished_at)"
        " INSERT INTO run_sources (run_id, source, position, active, state, finished_at)"
        " SELECT id, 'hgnc', 1, false, 'succeeded', finished_at FROM made",
        days,
        count,
    )


async def test_the_sizes_of_the_tables_are_shown_with_the_removable_part(
    patient: Patient,
) -> None:
    empty = await patient.see("database.sizes")
    assert empty.status is Status.ok
    assert empty.finding.summary.endswith("; to be removed: nothing")
    run(patient, 401, 3)
    run(patient, 10)
    found = await patient.see("database.sizes")
    assert found.status is Status.ok
    assert found.finding.summary.endswith("; to be removed: 3 runs")
    assert found.finding.detail["to_be_removed"]["runs"] == 3
    assert found.finding.detail["bytes"]["runs"] > 0


async def test_old_rows_that_are_never_removed_are_a_warning(patient: Patient) -> None:
    run(patient, 410, 3)
    run(patient, 10)
    found = await patient.see("database.sizes")
    assert found.status is Status.warning
    assert "3 runs should have been removed" in found.finding.summary
    assert found.remedy == "just worker"
    change(patient, run_days=500)
    assert (await patient.see("database.sizes")).status is Status.ok


async def test_a_disk_that_is_nearly_full_is_a_warning(
    patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = Path(patient.env["CACHE_DIR"])
    left = cache / "export-abcdefgh" / "rows"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"x" * 5_000)
    for path in (left, left.parent):
        os.utime(path, (time.time() - 10 * 86_400,) * 2)
    monkeypatch.setattr(checks, "MIN_FREE_BYTES", 0)
    enough = await patient.see("host.disk")
    assert enough.status is Status.ok
    assert enough.finding.summary.startswith("5 KB in CACHE_DIR, 5 KB of it to be removed; ")
    monkeypatch.setattr(checks, "MIN_FREE_BYTES", 10**18)
    short = await patient.see("host.disk")
    assert short.status is Status.warning
    assert str(cache) in short.finding.summary
    assert left.exists()


async def test_a_program_can_read_the_numbers(patient: Patient) -> None:
    told = json.loads(patient.doctor("--json", "--only", "database.sizes,host.disk").stdout)
    details = {each["id"]: each["detail"] for each in told["checks"]}
    assert details["database.sizes"]["to_be_removed"] == {
        "runs": 0,
        "ticks": 0,
        "notifications": 0,
        "workers": 0,
    }
    assert details["host.disk"]["free"] > 0
