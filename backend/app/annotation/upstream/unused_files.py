"""Finds and removes the files in ``CACHE_DIR`` that no source reads any more.

These are files of a former address or a former version of a source, and incomplete downloads of
killed processes. Other programs may keep files in the same place, so only files with this program's
metadata, in its own folders, are considered. All functions block.
"""

import os
import re
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from app.annotation.upstream.cache import CachedFile
from app.annotation.upstream.cache_dir import own_folders

ABANDONED_AFTER = 86_400.0
"""Seconds after its last change when an incomplete download counts as abandoned. One try to
download a file takes an hour at most."""

_FOLDER = re.compile(r"[a-z0-9_-]+-[0-9a-f]{12}")
_PART = re.compile(r"(.+)\.[^.]+\.part")
_NOTES = ".json"
_PIECES = "pieces"


@dataclass(frozen=True, slots=True)
class Unused:
    """A file that no source needs.

    Attributes:
        file: the cached file, whose lock a download holds.
        path: the path to remove: the file or an incomplete download.
        size: the size in bytes.
    """

    file: CachedFile
    path: Path
    size: int


def folders(cache_dir: Path) -> list[Path]:
    """Return the folders of downloaded files that belong to the user of this process."""
    return own_folders(cache_dir, _FOLDER)


def find_unused(cache_dir: Path, used: Collection[Path], seconds: float) -> Iterator[Unused]:
    """Find the files that were not used for a given time and that no source reads.

    Args:
        cache_dir: the folder of downloaded files.
        used: the files that the sources read now.
        seconds: the minimum time since the last use, in seconds.
    """
    for top in folders(cache_dir):
        in_use = any(top in path.parents for path in used)
        for folder, _, names in os.walk(top):
            for name in names:
                path = Path(folder, name)
                if name.endswith(_NOTES) and name.removesuffix(_NOTES) not in names:
                    # the file was refused and removed
                    path = path.with_name(name.removesuffix(_NOTES))
                found = None if path in used else _look(path, seconds, in_use=in_use)
                if found is not None:
                    yield found


def _look(path: Path, seconds: float, *, in_use: bool) -> Unused | None:
    file = CachedFile(path)
    age = file.unused_for()
    size, changed = _facts(path)
    if part := _PART.fullmatch(path.name):
        file, age, seconds = CachedFile(path.with_name(part[1])), changed, ABANDONED_AFTER
    elif path.parent.name == _PIECES and not in_use:
        age = changed
    return Unused(file, path, size) if age is not None and age > seconds else None


def _facts(path: Path) -> tuple[int, float | None]:
    """Return the size of a file in bytes and the seconds since its last change."""
    try:
        stat = path.stat()
    except FileNotFoundError:
        return 0, None
    return stat.st_size, time.time() - stat.st_mtime


def remove(unused: Unused) -> bool:
    """Remove a file, unless it is being downloaded now. Return whether it was removed."""
    with unused.file.locked_now() as mine:
        if mine and unused.path == unused.file.path:
            unused.file.remove()
        elif mine:
            unused.path.unlink(missing_ok=True)
    return mine
