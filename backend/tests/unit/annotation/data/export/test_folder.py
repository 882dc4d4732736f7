"""The temporary folders of exports, also after a process was killed."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.annotation.data.export.folder import (
    ABANDONED_AFTER,
    export_folder,
    list_abandoned,
    remove_abandoned,
)

HOLD = """
import sys
from pathlib import Path
from app.annotation.data.export.folder import export_folder
with export_folder(Path(sys.argv[1])) as folder:
    (Path(folder) / "rows").write_bytes(b"x" * 1000)
    print(folder, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def exporting(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    """A process that has a folder."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline()
    yield process
    process.kill()
    process.communicate()


def test_a_folder_exists_until_the_export_ends(tmp_path: Path) -> None:
    with export_folder(tmp_path) as folder:
        Path(folder, "rows").write_text("x")
        assert remove_abandoned(tmp_path) == 0
        assert Path(folder, "rows").exists()
    assert list(tmp_path.iterdir()) == []


def test_the_folder_of_a_live_process_is_kept_and_that_of_a_killed_one_is_removed(
    tmp_path: Path, exporting: "subprocess.Popen[str]"
) -> None:
    assert remove_abandoned(tmp_path) == 0
    exporting.kill()
    exporting.wait()
    (left,) = tmp_path.iterdir()
    assert list_abandoned(tmp_path) == [left]
    assert remove_abandoned(tmp_path) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_folder_without_a_lock_is_removed_a_day_after_its_last_change(tmp_path: Path) -> None:
    old, used = tmp_path / "export-abcdefgh", tmp_path / "export-01234567"
    then = time.time() - ABANDONED_AFTER - 60
    for folder in (old, used):
        folder.mkdir()
        (folder / "rows").touch()
        os.utime(folder / "rows", (then, then))
        os.utime(folder, (then, then))
    (used / "rows").write_text("more")
    remove_abandoned(tmp_path)
    assert list(tmp_path.iterdir()) == [used]


def test_other_folders_are_kept(tmp_path: Path) -> None:
    mine = tmp_path / "export-of-my-photos"
    mine.mkdir()
    os.utime(mine, (0, 0))
    assert remove_abandoned(tmp_path) == 0
    assert remove_abandoned(tmp_path / "none") == 0
    assert mine.exists()
