"""The removal of downloaded files that no source reads any more."""

import os
import time
from collections.abc import Collection
from pathlib import Path

from app.annotation.upstream import unused_files
from app.annotation.upstream.cache import CachedFile, Known

DAY = 86_400
OURS = "ncbi-0123456789ab"


def download(cache: Path, name: str, *, days: float, folder: str = OURS) -> Path:
    """Create a file that was downloaded some days ago."""
    file = CachedFile(cache / folder / name)
    file.path.parent.mkdir(parents=True, exist_ok=True)
    part = file.start_part()
    part.write_bytes(b"x" * 100)
    file.commit(part, Known("2026-01-01", '"e"', None))
    # like after a download, both of the same age
    age(file.path, days)
    age(file.path.with_name(file.path.name + ".json"), days)
    return file.path


def age(path: Path, days: float) -> None:
    then = time.time() - days * DAY
    os.utime(path, (then, then))


def files(cache: Path) -> list[str]:
    return sorted(path.name for path in cache.rglob("*") if path.is_file())


def tidy(cache: Path, used: Collection[Path] = ()) -> list[str]:
    """Remove files unused for 30 days, and return the remaining ones."""
    for unused in list(unused_files.find_unused(cache, used, 30 * DAY)):
        unused_files.remove(unused)
    return files(cache)


def test_a_file_that_no_source_reads_is_removed_with_its_metadata_30_days_after_its_last_use(
    tmp_path: Path,
) -> None:
    download(tmp_path, "old.gz", days=31)
    download(tmp_path, "recent.gz", days=29)
    assert tidy(tmp_path) == ["recent.gz", "recent.gz.json"]


def test_a_file_that_a_source_reads_is_kept_at_any_age(tmp_path: Path) -> None:
    read = download(tmp_path, "read.gz", days=900)
    download(tmp_path, "of_a_former_version.gz", days=900)
    assert tidy(tmp_path, {read}) == ["read.gz", "read.gz.json"]


def test_a_use_counts_even_if_the_file_has_not_changed_upstream(tmp_path: Path) -> None:
    CachedFile(download(tmp_path, "a.gz", days=900)).note_use()
    assert tidy(tmp_path) == ["a.gz", "a.gz.json"]


def test_the_metadata_of_a_discarded_file_are_also_removed(tmp_path: Path) -> None:
    download(tmp_path, "refused.gz", days=40).unlink()
    assert tidy(tmp_path) == []


def test_the_partial_download_of_a_killed_process_is_removed_after_a_day(tmp_path: Path) -> None:
    read = download(tmp_path, "read.gz", days=1)
    old, new = CachedFile(read).start_part(), read.with_name("read.gz.abcd.part")
    new.touch()
    age(old, 2)
    assert tidy(tmp_path, {read}) == [
        "read.gz",
        "read.gz.abcd.part",
        "read.gz.json",
        "read.gz.lock",
    ]


def test_a_file_that_is_being_downloaded_is_kept(tmp_path: Path) -> None:
    path = download(tmp_path, "a.gz", days=40)
    with CachedFile(path).locked_now() as mine:
        assert mine
        assert tidy(tmp_path) == ["a.gz", "a.gz.json", "a.gz.lock"]
    assert tidy(tmp_path) == []


def test_the_pieces_of_a_former_collection_are_removed_and_those_of_a_present_one_are_kept(
    tmp_path: Path,
) -> None:
    former, present = tmp_path / "panelapp-0123456789ab", tmp_path / "panelapp-ba9876543210"
    for folder in (former, present):
        piece = folder / "pieces" / "1.gz"
        piece.parent.mkdir(parents=True)
        piece.touch()
        age(piece, 40)
    assert tidy(tmp_path, {present / "panels.gz"}) == ["1.gz"]
    assert (present / "pieces" / "1.gz").exists()


def test_files_of_other_programs_are_kept(tmp_path: Path) -> None:
    strange = [tmp_path / "notes.txt", tmp_path / "photos" / "a.jpg", tmp_path / OURS / "b.jpg"]
    for path in strange:
        path.parent.mkdir(exist_ok=True)
        path.write_text("mine")
        age(path, 4_000)
    json = tmp_path / OURS / "b.jpg.json"
    json.write_text('{"mine": true}')
    age(json, 4_000)
    link = tmp_path / "ncbi-ffffffffffff"
    link.symlink_to(tmp_path / "photos")
    assert tidy(tmp_path) == ["a.jpg", "b.jpg", "b.jpg.json", "notes.txt"]


def test_without_a_folder_there_is_nothing_to_remove(tmp_path: Path) -> None:
    assert tidy(tmp_path / "none") == []
