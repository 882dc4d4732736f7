"""Collects the answers of a service in a file, for sources whose upstream publishes no file.

A source returns the service's current release from :meth:`CollectedSource.current_file` and
downloads the data in :meth:`CollectedSource.collect`. It stores each response as a *piece*. An
interrupted collection (a crash, a wait) resumes with the existing pieces. The complete pieces are
joined to a file, which is then read like any other file. The file is collected again only if the
service has another release or if the file was held.
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
    """The pieces of a file that is being collected, each a gzip file.

    Pieces are written atomically, so a crash never leaves a partial piece. The methods block.

    Args:
        folder: a folder for the pieces only.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keys(self) -> set[str]:
        """Return the names of the existing pieces."""
        return {path.stem for path in self._folder.glob("*.gz")}

    def keep(self, key: str, content: bytes) -> None:
        """Store a piece.

        Args:
            key: the name of the piece, usable as a file name.
            content: the content, which is joined to the others unchanged.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{key}.gz"
        unfinished = path.with_suffix(".new")
        # without a timestamp, so that equal content gives an identical file
        unfinished.write_bytes(gzip.compress(content, mtime=0))
        unfinished.replace(path)

    def read(self, key: str) -> bytes | None:
        """Return a piece; None if it is missing or damaged."""
        try:
            return gzip.decompress((self._folder / f"{key}.gz").read_bytes())
        except (FileNotFoundError, EOFError, gzip.BadGzipFile, zlib.error):
            return None

    def keep_only(self, keys: Collection[str]) -> None:
        """Remove all other pieces and the incomplete files of killed processes."""
        kept = {f"{key}.gz" for key in keys}
        for path in self._folder.glob("*"):
            if path.name not in kept:
                path.unlink(missing_ok=True)

    def clear(self) -> None:
        """Remove all pieces."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def join(self, keys: Sequence[str], to: Path) -> None:
        """Concatenate pieces. Concatenated gzip files are a gzip file (RFC 1952, 2.2)."""
        with to.open("wb") as whole:
            for key in keys:
                with (self._folder / f"{key}.gz").open("rb") as piece:
                    shutil.copyfileobj(piece, whole)


class Collected(NamedTuple):
    """A complete collection.

    Attributes:
        keys: the names of the pieces, in the order in which they are joined.
        release: the release of all pieces.
    """

    keys: list[str]
    release: Release


class CollectedSource(FileSource):
    """A source that collects a service's answers in a file, ``file.paths[0]``.

    Attributes:
        reuses_pieces: whether pieces remain valid for the next release.
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
        """Return the path of the file that the source reads. The file may not exist yet."""
        return [cls._folder_of(settings) / cls.file.paths[0]]

    @property
    @abstractmethod
    def address(self) -> str:
        """The address of the answers, for people."""

    @abstractmethod
    async def current_file(self) -> Release:
        """Return the service's current release. Ask the service only once."""

    @abstractmethod
    async def collect(self, pieces: Pieces, release: Release) -> Collected:
        """Fetch the missing pieces and check that the collection is complete.

        Args:
            pieces: the existing pieces, possibly of an earlier release.
            release: the result of :meth:`current_file`.

        Raises:
            BadAnswer: the collection is not complete.
            Wait: the service cannot be asked now.
        """

    async def fetch(self) -> list[Download]:
        """Return the file of the current release, and collect it if it does not exist.

        Of several processes that need the file, only one collects it.

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
    """Return the metadata of the file.

    Damaged pieces may be the reason that a file was discarded. All pieces are removed then.
    """
    if file.refused():
        pieces.clear()
        file.forget()
    return file.known()
