"""Removes unused files from ``CACHE_DIR``. Each worker does this on its own machine."""

import asyncio
import logging
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from app.annotation.data.export.folder import list_abandoned, remove_abandoned
from app.annotation.settings import Settings
from app.annotation.sources import cached_files
from app.annotation.upstream import unused_files
from app.annotation.upstream.unused_files import Unused

logger = logging.getLogger(__name__)

DAY = 86_400.0
"""Seconds."""


class Files:
    """Removes temporary folders of killed exports, and files that no source reads any more.

    Workers of one machine need no coordination: a downloaded file is removed under the lock of its
    download, and removing a file twice is harmless.

    Args:
        settings: the settings, which define the folder, the files that are read, and their
            retention.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def remove(self) -> bool:
        """Remove all unused files that can be removed."""
        try:
            await asyncio.to_thread(self._remove)
        except OSError as error:
            logger.warning(
                "cannot remove all unused files in CACHE_DIR; the next pass tries again: %s", error
            )
        return False

    def _remove(self) -> None:
        settings = self._settings
        remove_abandoned(settings.cache_dir)
        for unused in list_unused(settings):
            if unused_files.remove(unused):
                logger.info("removed %s, which no source reads any more", unused.path)


def list_unused(settings: Settings) -> list[Unused]:
    """Return the downloaded files that no source needs. The function blocks."""
    return list(
        unused_files.find_unused(
            settings.cache_dir, cached_files.list_used(settings), settings.cache_days * DAY
        )
    )


@dataclass(frozen=True, slots=True)
class Room:
    """The use of ``CACHE_DIR`` and the free space of its disk, in bytes.

    Attributes:
        files: the size of all files of sources and exports.
        unused: the size of the files that retention removes.
        free: the free space for this user.
    """

    files: int
    unused: int
    free: int


def measure_room(settings: Settings) -> Room:
    """Return the use of ``CACHE_DIR``. The function blocks."""
    cache = settings.cache_dir
    abandoned = list_abandoned(cache)
    there = next(each for each in (cache, *cache.parents) if each.exists())
    return Room(
        files=sum(map(_size, [*unused_files.folders(cache), *abandoned])),
        unused=sum(each.size for each in list_unused(settings)) + sum(map(_size, abandoned)),
        free=shutil.disk_usage(there).free,
    )


def _size(folder: Path) -> int:
    size = 0
    for at, _, names in os.walk(folder):
        for name in names:
            try:
                size += Path(at, name).stat().st_size
            except FileNotFoundError:
                continue
    return size
