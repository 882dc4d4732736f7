"""Removes files in ``CACHE_DIR`` that nobody needs any more. Each worker does so on its machine."""

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
    """Removes what killed exports left behind, and what no source reads any more.

    The workers of one machine need no turns: a downloaded file is removed under the lock that its
    download holds, and removing it twice is harmless.

    Args:
        settings: say where the files are, which of them are read, and when the others are removed.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def remove(self) -> bool:
        """Remove all of them that can be removed."""
        try:
            await asyncio.to_thread(self._remove)
        except OSError as error:
            logger.warning("files in CACHE_DIR cannot be removed, or not all of them: %s", error)
        return False

    def _remove(self) -> None:
        settings = self._settings
        remove_abandoned(settings.cache_dir)
        for unused in list_unused(settings):
            if unused_files.remove(unused):
                logger.info("removed %s, which no source reads any more", unused.path)


def list_unused(settings: Settings) -> list[Unused]:
    """Return the downloaded files that nobody needs any more. It blocks."""
    return list(
        unused_files.find_unused(
            settings.cache_dir, cached_files.list_used(settings), settings.cache_days * DAY
        )
    )


@dataclass(frozen=True, slots=True)
class Room:
    """How full ``CACHE_DIR`` and its disk are, in bytes.

    Attributes:
        files: what the sources and exports keep there.
        unused: the part of it that retention removes.
        free: on the disk, for this user.
    """

    files: int
    unused: int
    free: int


def look(settings: Settings) -> Room:
    """Return how full ``CACHE_DIR`` is. It blocks."""
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
