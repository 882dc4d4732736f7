"""Scheduled snapshots, backups and exports, with PostgreSQL's own programs."""

import asyncio
import csv
import os
import shlex
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from pydantic import SecretStr
from sqlalchemy import text

from app.annotation.notices.schedules import schedule_watch
from app.annotation.scheduled import actions
from app.annotation.settings import Settings
from app.core.errors import WrongUse
from app.core.postgres import backup, programs
from app.core.runs.attempt import Attempt
from app.core.runs.request import RunRequest
from app.core.schedules import files, operations
from app.core.schedules.operations import NewSchedule
from app.db.engine import create_engine
from harness.timing import limit
from tests.integration.conftest import Bench, Query
from tests.office import Mailbox, Office, quickly

pytestmark = pytest.mark.usefixtures("with_pg_dump", "genes")


async def no_runs(attempt: Attempt) -> None:
    raise AssertionError(attempt)


async def covers_nothing(*_: object) -> list[str]:
    return []


class Installation:
    """A worker, and schedules that are due now."""

    def __init__(self, bench: Bench, settings: Settings, folder: Path) -> None:
        self.bench = bench
        self.settings = settings
        self.folder = folder

    async def add(self, action: str, **options: Any) -> None:
        new = NewSchedule(
            name="nightly",
            kind="cron",
            cron="0 2 * * *",
            zone="Europe/Berlin",
            every=None,
            request=RunRequest.of(None),
            overlap="skip",
            catch_up=timedelta(days=1),
            by="Ada",
            action=action,
            options=options,
        )
        can = actions(self.settings)
        async with self.bench.db.begin() as connection:
            await operations.add(connection, new, covers_nothing, can)

    async def at(self, tick: datetime) -> None:
        """Create a tick of the schedule that waits for a worker."""
        async with self.bench.db.begin() as connection:
            await connection.execute(
                text(
                    "INSERT INTO schedule_ticks (schedule_id, tick, outcome)"
                    " SELECT id, :tick, 'waiting' FROM schedules"
                ),
                {"tick": tick},
            )

    async def done(
        self, tick: datetime, holds: Callable[[Any], bool] = lambda row: row.outcome == "done"
    ) -> Any:
        """Let a worker execute a tick."""
        await self.at(tick)
        return await self.until(tick, holds)

    async def until(self, tick: datetime, holds: Callable[[Any], bool]) -> Any:
        can = actions(self.settings)
        async with self.bench.worker(no_runs, plan=covers_nothing, actions=can), limit():
            while True:
                async with self.bench.db.connect() as connection:
                    row = (
                        await connection.execute(
                            text("SELECT * FROM schedule_ticks WHERE tick = :tick"), {"tick": tick}
                        )
                    ).one()
                if holds(row):
                    return row
                assert row.outcome != "failed", row.reason
                await asyncio.sleep(0.05)

    def names(self) -> list[str]:
        return sorted(each.name for each in self.folder.iterdir())


def text_of(file: str) -> str:
    return Path(file).read_text(encoding="utf-8")


@pytest.fixture
def installation(bench: Bench, settings: Settings, tmp_path: Path) -> Installation:
    folder = tmp_path / "folder"
    folder.mkdir()
    return Installation(bench, settings, folder)


NIGHT = datetime(2026, 11, 1, 1, 0, tzinfo=UTC)


async def test_a_scheduled_backup_can_be_restored(
    installation: Installation, empty_database_url: str
) -> None:
    await installation.add("backup", folder=str(installation.folder))
    row = await installation.done(NIGHT)
    (name,) = installation.names()
    file = installation.folder / name
    assert name == "nightly.20261101T010000Z.dump"
    assert (row.result["file"], row.result["bytes"]) == (str(file), file.stat().st_size)
    assert row.result["host"] in row.reason
    assert file.stat().st_mode & 0o777 == 0o600
    await asyncio.to_thread(backup.read, empty_database_url, file)
    with psycopg.connect(empty_database_url) as restored:
        found = restored.execute("SELECT symbol FROM genes ORDER BY symbol").fetchall()
    assert [symbol for (symbol,) in found] == ["C1orf112", "PKD1", "TTN"]


async def test_a_new_backup_removes_those_that_need_not_be_kept(
    installation: Installation,
) -> None:
    await installation.add("backup", folder=str(installation.folder), keep_daily=2, keep_weekly=2)
    for night in range(1, 40):
        (installation.folder / files.name_of("nightly", NIGHT - timedelta(days=night), "dump")
         ).write_text("an earlier one")  # fmt: skip
    (installation.folder / "kidney-genetics-20260101T000000Z.dump").write_text("by hand")
    row = await installation.done(NIGHT)
    # 1 November 2026 is a Sunday
    assert installation.names() == [
        "kidney-genetics-20260101T000000Z.dump",
        "nightly.20261025T010000Z.dump",
        "nightly.20261031T010000Z.dump",
        "nightly.20261101T010000Z.dump",
    ]
    assert len(row.result["removed"]) == 37
    assert "37 older removed" in row.reason


@pytest.mark.parametrize(
    ("script", "problem"),
    [
        ("echo half; echo 'disk full' >&2; exit 1", "disk full"),
        ("echo nothing that can be restored", "pg_restore failed"),
        # it reports success, but the end of the file is missing
        ('"$REAL" "$@" | head -c 20000', "pg_restore failed"),
    ],
)
async def test_a_backup_that_fails_or_cannot_be_read_again_removes_nothing(
    installation: Installation,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    script: str,
    problem: str,
) -> None:
    await installation.add("backup", folder=str(installation.folder), keep_daily=1, keep_weekly=0)
    earlier = [files.name_of("nightly", NIGHT - timedelta(days=n), "dump") for n in (1, 2)]
    for name in earlier:
        (installation.folder / name).write_text("an earlier one")
    real = shlex.quote(str(programs.newest("pg_dump")))
    broken = tmp_path / "bin" / "pg_dump"
    broken.parent.mkdir()
    broken.write_text(
        f'#!/bin/sh\nREAL={real}\n[ "$1" = --version ] && exec "$REAL" --version\n{script}\n'
    )
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", f"{broken.parent}:{os.environ['PATH']}")
    row = await installation.done(NIGHT, lambda row: row.failures == 1)
    assert problem in row.reason
    assert installation.names() == sorted(earlier)


async def test_a_complete_file_of_a_killed_worker_is_kept_and_a_half_one_removed(
    installation: Installation,
) -> None:
    await installation.add("backup", folder=str(installation.folder))
    (installation.folder / "nightly.20261101T010000Z.dump.x_1y_2z3.partial").write_text("half")
    (installation.folder / "nightly.20261101T010000Z.dump").write_text("complete")
    row = await installation.done(NIGHT)
    (name,) = installation.names()
    assert (installation.folder / name).read_text() == "complete"
    assert row.result["bytes"] == len("complete")


async def test_a_backup_that_is_restored_is_not_written_again(
    installation: Installation, settings: Settings, empty_database_url: str
) -> None:
    await installation.add("backup", folder=str(installation.folder))
    await installation.done(NIGHT)
    (name,) = installation.names()
    file = installation.folder / name
    before = file.stat()
    await asyncio.to_thread(backup.read, empty_database_url, file)
    restored = settings.model_copy(update={"database_url": SecretStr(empty_database_url)})
    db = create_engine(empty_database_url, session="test")
    try:
        # in the backup, a worker that is dead now executes the backup's own tick
        again = Installation(Bench(restored, db), restored, installation.folder)
        await again.until(NIGHT, lambda row: row.outcome == "done")
    finally:
        await db.dispose()
    after = file.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert installation.names() == [name]


async def test_a_scheduled_snapshot_is_named_after_its_day(
    installation: Installation, query: Query
) -> None:
    await installation.add("snapshot", prefix="monthly", note="for papers")
    # in Berlin it is the first of November
    row = await installation.done(datetime(2026, 10, 31, 23, 30, tzinfo=UTC))
    assert (row.result, row.reason) == (
        {"snapshot": "monthly-2026-11-01"},
        "snapshot monthly-2026-11-01",
    )
    await installation.done(datetime(2026, 11, 1, 5, 30, tzinfo=UTC))
    assert query("SELECT name, note, by FROM snapshots ORDER BY id") == [
        {"name": "monthly-2026-11-01", "note": "for papers", "by": "schedule nightly"},
        {"name": "monthly-2026-11-01-0630", "note": "for papers", "by": "schedule nightly"},
    ]


async def test_a_snapshot_that_cannot_be_taken_now_is_taken_later(
    installation: Installation, query: Query, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.annotation.data.snapshots.LOCK_TIMEOUT", 0.1)
    await installation.add("snapshot", prefix="monthly")
    with psycopg.connect(database_url) as writing:
        writing.execute("UPDATE genes SET symbol = symbol")
        row = await installation.done(NIGHT, lambda row: row.failures == 1)
    assert (row.outcome, query("SELECT name FROM snapshots")) == ("waiting", [])
    assert "writing answers" in row.reason
    query("UPDATE schedule_ticks SET not_before = now()")
    await installation.until(NIGHT, lambda row: row.outcome == "done")
    assert query("SELECT name FROM snapshots") == [{"name": "monthly-2026-11-01"}]


async def test_a_scheduled_export_writes_a_table_and_what_describes_it(
    installation: Installation,
) -> None:
    await installation.add(
        "export",
        folder=str(installation.folder),
        format="csv",
        fields=["gnomad.loeuf"],
        keep_daily=1,
        keep_weekly=0,
    )
    await installation.done(NIGHT - timedelta(days=1))
    row = await installation.done(NIGHT)
    assert installation.names() == [
        f"nightly.20261101T010000Z.{ending}"
        for ending in ("citation.cff", "columns.tsv", "csv", "manifest.json")
    ]
    rows = list(csv.DictReader(text_of(row.result["file"]).splitlines()))
    assert [each["symbol"] for each in rows] == ["PKD1", "C1orf112", "TTN"]
    assert "gnomad.loeuf" in rows[0]
    assert len(row.result["removed"]) == 4


@pytest.mark.parametrize(
    ("action", "options", "problem"),
    [
        ("export", {"format": "docx"}, "no format"),
        ("export", {"fields": ["gnomad.leouf"]}, "did you mean"),
        ("export", {"sources": ["gnomda"]}, "no source"),
        ("export", {"where": ["gnomad.loeuf<<1"]}, "gnomad.loeuf"),
        ("export", {"list": "none"}, "none"),
        ("export", {"keep_daily": -1}, "keep_daily"),
        ("export", {"as_of": "2026-01-01"}, "as_of"),
        ("backup", {"folder": "/nowhere"}, "no folder"),
        ("backup", {"format": "tsv"}, "format"),
        ("snapshot", {"prefix": "monthly"}, "folder"),
    ],
)
async def test_what_could_not_be_done_is_refused_when_it_is_added(
    installation: Installation, action: str, options: Mapping[str, Any], problem: str
) -> None:
    with pytest.raises(WrongUse, match=problem):
        await installation.add(action, **({"folder": str(installation.folder)} | dict(options)))


async def test_a_name_that_no_snapshot_can_have_is_refused(installation: Installation) -> None:
    for prefix in ("Monthly", "", "more-than-twelve"):
        with pytest.raises(WrongUse, match="12 lower-case letters"):
            await installation.add("snapshot", prefix=prefix)


async def test_a_backup_without_pg_dump_is_refused(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr("app.core.postgres.programs._FOLDERS", ())
    with pytest.raises(WrongUse, match="pg_dump for PostgreSQL"):
        await installation.add("backup", folder=str(installation.folder))


async def test_a_notification_is_sent_for_a_failed_task_and_its_recovery(
    installation: Installation, bench: Bench, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    quickly(monkeypatch)
    await installation.add("snapshot", prefix="monthly")
    await installation.at(NIGHT)
    query("UPDATE schedule_ticks SET outcome = 'failed', reason = 'no room on the disk'")
    async with Office(bench, query).open(Mailbox(), watches=(schedule_watch(),)) as mailbox:
        (told,) = await mailbox.until(1)
        assert (told.kind, told.title) == (
            "scheduled task failed",
            "The snapshot of the schedule nightly failed",
        )
        assert "no room on the disk" in told.text
        assert "just schedule-run nightly" in told.text
        await installation.done(NIGHT + timedelta(days=1))
        kinds = {each.kind for each in await mailbox.until(3)}
    assert kinds == {"scheduled task failed", "snapshot taken", "recovered"}
