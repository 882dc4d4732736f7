"""The files of schedules: which ones a schedule takes for its own."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.core.errors import UserError, WrongUse
from app.core.schedules import files
from app.core.schedules.files import FolderOptions

NIGHT = datetime(2026, 11, 26, 1, 0, tzinfo=UTC)


def options(folder: Path) -> FolderOptions:
    return FolderOptions(folder=str(folder), keep_daily=2, keep_weekly=0)


def test_only_files_that_this_schedule_wrote_are_removed(tmp_path: Path) -> None:
    mine = [files.name_of("nightly", NIGHT - timedelta(days=n), "dump") for n in range(4)]
    assert mine[0] == "nightly.20261126T010000Z.dump"
    beside = ["nightly.20261123T010000Z.columns.tsv"]
    others = [
        "kidney-genetics-20261123T010000Z.dump",
        "nightly-20261123T010000Z.dump",
        "nightly.dump",
        "nightly.20261399T010000Z.dump",
        "nightly.20261123T010000Z.dump.partial",
        "nightly.20261123T010000Z.dump.bak",
        "nightly.20261123T010000Z.dump.gpg",
        "nightly.20261123T010000Z.parquet",
        "my.nightly.20261123T010000Z.dump",
        "nightly2.20261123T010000Z.dump",
        "notes.txt",
    ]
    for name in (*mine, *beside, *others):
        (tmp_path / name).touch()
    (tmp_path / "nightly.20261101T010000Z.dump").mkdir()
    removed = files.remove_surplus(
        tmp_path,
        "nightly",
        NIGHT,
        options(tmp_path),
        endings=["dump", "columns.tsv"],
        zone="UTC",
    )
    assert sorted(removed) == sorted([*mine[2:], *beside])
    left = {each.name for each in tmp_path.iterdir()}
    assert left == {*mine[:2], *others, "nightly.20261101T010000Z.dump"}


def test_all_files_stay_if_the_schedule_does_not_say_how_many(tmp_path: Path) -> None:
    for number in range(30):
        (tmp_path / files.name_of("x", NIGHT - timedelta(days=number), "tsv")).touch()
    asked = FolderOptions(folder=str(tmp_path))
    assert files.remove_surplus(tmp_path, "x", NIGHT, asked, endings=["tsv"], zone="UTC") == []


def test_half_files_of_this_schedule_are_removed(tmp_path: Path) -> None:
    mine = [
        "nightly.20261126T010000Z.dump.x1_y2_z3.partial",
        ".nightly.20261126T010000Z.columns.tsv.0a1b2c3d.partial",
    ]
    others = [
        "weekly.20261126T010000Z.dump.x1_y2_z3.partial",
        "nightly.20261126T010000Z.dump.gpg.partial",
        "nightly.20261126T010000Z.dump",
        "nightly.partial",
    ]
    for name in (*mine, *others):
        (tmp_path / name).touch()
    folder = tmp_path / ".nightly.20261126T010000Z.tsv.4d5e6f7a.partial"
    folder.mkdir()
    (folder / "spilled").touch()
    files.remove_partial_files(tmp_path, "nightly")
    assert sorted(each.name for each in tmp_path.iterdir()) == sorted(others)


def test_no_file_is_written_where_a_link_leads(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere.tsv"
    elsewhere.write_text("of somebody else")
    folder = tmp_path / "folder"
    folder.mkdir()
    file = folder / files.name_of("weekly", NIGHT, "tsv")
    assert not files.begin(file, "weekly")
    link = folder / files.name_of("weekly", NIGHT, "columns.tsv")
    link.symlink_to(elsewhere)
    with pytest.raises(UserError, match=r"columns\.tsv is a symbolic link"):
        files.begin(file, "weekly")
    link.unlink()
    assert not files.begin(file, "weekly")


def test_a_folder_that_cannot_be_used_is_refused(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    (cache / "in it").mkdir(parents=True)
    (tmp_path / "link").symlink_to(cache)
    (tmp_path / "file").touch()
    for folder, problem in (
        ("backups", "not absolute"),
        (f"{tmp_path}/none", "no folder"),
        (f"{tmp_path}/file", "no folder"),
        (f"{cache}/in it", "may be removed"),
        (f"{tmp_path}/link/in it", "may be removed"),
    ):
        with pytest.raises(WrongUse, match=problem):
            files.usable_folder(folder, [cache])
    assert files.usable_folder(str(tmp_path), [cache]) == tmp_path


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_to_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(WrongUse, match="may not write"):
        files.usable_folder(str(tmp_path), [])
