import asyncio
import os
import time
from pathlib import Path

import pytest

from app.annotation.data.file_retention import Files, measure_room
from app.annotation.settings import Settings
from app.annotation.upstream import unused_files
from app.annotation.upstream.cache import CachedFile, Known


@pytest.fixture
def unused(tmp_path: Path) -> CachedFile:
    """A file that was used 40 days ago."""
    file = CachedFile(tmp_path / "ncbi-0123456789ab" / "old.gz")
    file.path.parent.mkdir()
    part = file.start_part()
    part.write_bytes(b"x" * 100)
    file.commit(part, Known("2026-01-01", '"e"', None))
    then = time.time() - 40 * 86_400
    for path in file.path.parent.iterdir():
        os.utime(path, (then, then))
    return file


def of(cache_dir: Path) -> Settings:
    return Settings(_env_file=None, cache_dir=cache_dir)  # type: ignore[call-arg]


def test_unused_files_are_counted_and_then_removed(unused: CachedFile, tmp_path: Path) -> None:
    assert measure_room(of(tmp_path)).unused == 100
    assert asyncio.run(Files(of(tmp_path)).remove()) is False
    assert not unused.path.exists()
    assert measure_room(of(tmp_path)).unused == 0


def test_the_log_names_a_file_that_cannot_be_removed(
    unused: CachedFile,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def refuse(_: object) -> bool:
        raise PermissionError(13, "Permission denied", str(unused.path))

    monkeypatch.setattr(unused_files, "remove", refuse)
    asyncio.run(Files(of(tmp_path)).remove())
    assert "cannot remove" in caplog.text
    assert str(unused.path) in caplog.text
