"""Temporary folders of exports, which are removed even if the process is killed.

A process holds a lock on a file in its folder. The kernel releases the lock when the process exits
or dies. A folder whose lock is free is abandoned.
"""

import fcntl
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from app.annotation.upstream.cache_dir import own_folders

ABANDONED_AFTER = 86_400.0
"""Seconds after its last change when a folder without a lock file counts as abandoned. Former
versions created such folders, and this version does for an instant."""

_PREFIX = "export-"
_NAME = re.compile(r"export-[a-z0-9_]{8}")
_LOCK = ".lock"


@contextmanager
def export_folder(cache_dir: Path) -> Iterator[str]:
    """Create a folder in ``CACHE_DIR``, and remove it at the end."""
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=cache_dir))
    try:
        # the lock file gets its name only while it is locked, so it never looks free
        unnamed = folder / f"{_LOCK}.new"
        descriptor = os.open(unnamed, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            unnamed.rename(folder / _LOCK)
            yield str(folder)
        finally:
            os.close(descriptor)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def list_abandoned(cache_dir: Path) -> list[Path]:
    """Return the folders of killed processes. The function blocks."""
    return [folder for folder in own_folders(cache_dir, _NAME) if _is_abandoned(folder)]


def remove_abandoned(cache_dir: Path) -> int:
    """Remove the folders of killed processes, and return their number. The function blocks."""
    found = list_abandoned(cache_dir)
    for folder in found:
        shutil.rmtree(folder, ignore_errors=True)
    return len(found)


def _is_abandoned(folder: Path) -> bool:
    try:
        descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return _last_change(folder) < time.time() - ABANDONED_AFTER
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True


def _last_change(folder: Path) -> float:
    times = [0.0]
    for path in (folder, *folder.rglob("*")):
        with suppress(FileNotFoundError):
            times.append(path.stat().st_mtime)
    return max(times)
