"""The doctor says which schedules do not do what they are for."""

from pathlib import Path

from app.core.checks import Status
from tests.integration.doctor.ward import query
from tests.patient import Patient

FAILED, FOLDER = "schedules.failed", "schedules.folder"


def schedule(patient: Patient, folder: str) -> None:
    query(
        patient,
        "INSERT INTO schedules (name, kind, cron, action, options, next_at, by) VALUES"
        " ('nightly', 'cron', '0 2 * * *', 'backup', jsonb_build_object('folder', %s::text),"
        " now() + interval '1 day', 'Ada')",
        folder,
    )


def tick(patient: Patient, outcome: str, ago: str, failures: int = 0) -> None:
    query(
        patient,
        "INSERT INTO schedule_ticks (schedule_id, tick, outcome, reason, failures)"
        " SELECT id, now() - CAST(%s AS interval), %s, 'no room', %s FROM schedules",
        *(ago, outcome, failures),
    )


async def test_a_schedule_whose_last_tick_failed_is_named_until_one_succeeds(
    patient: Patient,
) -> None:
    schedule(patient, "/")
    tick(patient, "done", "4 days")
    assert (await patient.see(FAILED)).status is Status.ok
    tick(patient, "failed", "3 days", failures=4)
    tick(patient, "skipped", "2 days")
    broken = await patient.see(FAILED)
    assert broken.status is Status.failed
    assert broken.finding.found == "nightly, backup: no room"
    assert "just schedule-run nightly" in broken.remedy
    tick(patient, "waiting", "1 day", failures=1)
    assert (await patient.see(FAILED)).status is Status.failed
    query(patient, "UPDATE schedule_ticks SET outcome = 'done' WHERE outcome = 'failed'")
    assert (await patient.see(FAILED)).status is Status.warning
    query(patient, "UPDATE schedule_ticks SET outcome = 'done' WHERE outcome = 'waiting'")
    assert (await patient.see(FAILED)).status is Status.ok


async def test_a_folder_that_this_host_lacks_is_made_by_the_printed_command(
    patient: Patient, tmp_path: Path
) -> None:
    folder = tmp_path / "backups"
    schedule(patient, str(folder))
    broken = await patient.see(FOLDER)
    assert broken.status is Status.warning
    assert broken.remedy == f"mkdir -p {folder}"
    folder.mkdir()
    assert (await patient.see(FOLDER)).status is Status.ok
