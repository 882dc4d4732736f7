"""Collects the answers of a service in a file, for sources whose upstream publishes no file.

A source says with :meth:`CollectedSource.current_file` what the service has now, and fetches the
rest with :meth:`CollectedSource.collect`. It keeps each answer as a *piece*. A collection that
breaks off (a crash, a wait) continues with the pieces that are there. When all are there, they are
joined to the file, which is then read like any other file. The file is collected again only when
the service has another release, or when the file was refused.
"""

import asyncio
import gzip
import shutil
import zlib
from abc import abstractmethod
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from app.annotation.sources.base import FileSource
from app.annotation.upstream.cache import CachedFile, Download, Known, waiting_for_disk
from app.annotation.upstream.host import digest
from app.annotation.upstream.release import Release

if TYPE_CHECKING:
    from app.annotation.sources.connector import Connector
    from app.annotation.upstream.settings import UpstreamSettings


class Pieces:
    """The pieces of a file that is being collected, each a gzip file of its own.

    A piece is there as a whole or not at all, also after a crash. The methods block.

    Args:
        folder: for the pieces only.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keys(self) -> set[str]:
        """Return the names of the pieces that are there."""
        return {path.stem for path in self._folder.glob("*.gz")}

    def keep(self, key: str, content: bytes) -> None:
        """Keep a piece.

        Args:
            key: its name, which can be a file name.
            content: that is joined to the others' as it is.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{key}.gz"
        unfinished = path.with_suffix(".new")
        # without the time, so that equal content gives an equal file
        unfinished.write_bytes(gzip.compress(content, mtime=0))
        unfinished.replace(path)

    def read(self, key: str) -> bytes | None:
        """Return a piece; None if it is not there, or is damaged."""
        try:
            return gzip.decompress((self._folder / f"{key}.gz").read_bytes())
        except (FileNotFoundError, EOFError, gzip.BadGzipFile, zlib.error):
            return None

    def keep_only(self, keys: Collection[str]) -> None:
        """Remove all other pieces, and what a killed process left unfinished."""
        kept = {f"{key}.gz" for key in keys}
        for path in self._folder.glob("*"):
            if path.name not in kept:
                path.unlink(missing_ok=True)

    def clear(self) -> None:
        """Remove all pieces."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def join(self, keys: Sequence[str], to: Path) -> None:
        """Write pieces one after the other. gzip files in a row are a gzip file (RFC 1952, 2.2)."""
        with to.open("wb") as whole:
            for key in keys:
                with (self._folder / f"{key}.gz").open("rb") as piece:
                    shutil.copyfileobj(piece, whole)


class Collected(NamedTuple):
    """A complete collection.

    Attributes:
        keys: the pieces, in the order in which they are joined.
        release: that all of them are of.
    """

    keys: list[str]
    release: Release


class CollectedSource(FileSource):
    """A source that collects a service's answers in a file, ``file.paths[0]``.

    Attributes:
        reuses_pieces: whether a piece can be part of the next release, too.
    """

    reuses_pieces: ClassVar[bool] = False

    def __init__(self, connect: "Connector") -> None:
        super().__init__(connect)
        self._folder = self._folder_of(connect.settings)

    @classmethod
    def _folder_of(cls, settings: "UpstreamSettings") -> Path:
        addresses = [getattr(settings, host.setting) for host in cls.info.hosts]
        return settings.cache_dir / f"{cls.info.name}-{digest(' '.join(addresses))}"

    @classmethod
    def cached(cls, settings: "UpstreamSettings") -> Collection[Path]:
        """Return the file that the source reads, whether it is there or not."""
        return [cls._folder_of(settings) / cls.file.paths[0]]

    @property
    @abstractmethod
    def address(self) -> str:
        """Where the answers are from, for people."""

    @abstractmethod
    async def current_file(self) -> Release:
        """Return the release that the service has now. Ask the service only once."""

    @abstractmethod
    async def collect(self, pieces: Pieces, release: Release) -> Collected:
        """Fetch the pieces that are missing, and make sure that the collection is complete.

        Args:
            pieces: that are there already, possibly of an earlier release.
            release: what :meth:`current_file` returned.

        Raises:
            BadAnswer: the collection is not complete.
            Wait: nothing more can be fetched now.
        """

    async def fetch(self) -> list[Download]:
        """Return the file of the current release. Collect it if it is not there.

        If several processes want the file, one of them collects it.

        Raises:
            BadAnswer, Wait: see :meth:`collect`.
        """
        file = CachedFile(self._folder / self.file.paths[0])
        pieces = Pieces(self._folder / "pieces")
        with waiting_for_disk():
            async with file.locked():
                release = await self.current_file()
                known = await asyncio.to_thread(_known, file, pieces)
                if known is None or known.marker != release.marker:
                    collected = await self.collect(pieces, release)
                    known = await asyncio.to_thread(self._join, file, pieces, collected)
                await asyncio.to_thread(file.note_use)
        name = self.file.paths[0]
        marker, size = known.marker, known.size
        return [Download(file.path, name, known.release, marker, self.address, size)]

    def _join(self, file: CachedFile, pieces: Pieces, collected: Collected) -> Known:
        part = file.start_part()
        pieces.join(collected.keys, part)
        known = Known(collected.release.name, collected.release.marker, None)
        file.commit(part, known)
        pieces.keep_only(collected.keys if self.reuses_pieces else ())
        return known


def _known(file: CachedFile, pieces: Pieces) -> Known | None:
    """Return the notes about the file.

    A file that was refused may have been joined of damaged pieces, so that they are removed.
    """
    if file.refused():
        pieces.clear()
        file.forget()
    return file.known()
