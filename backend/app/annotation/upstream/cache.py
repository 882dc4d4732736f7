"""A downloaded file, its metadata, and the lock that prevents concurrent downloads."""

import asyncio
import contextlib
import errno
import fcntl
import os
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from app.core.errors import Wait

_LOCK_POLL = 0.2


@dataclass(frozen=True, slots=True)
class Download:
    """A complete local copy of an upstream file.

    Args:
        path: the path of the copy.
        name: the name of the file, below the host's address.
        release: the date of the last modification upstream, in ISO format.
        marker: identifies the version of the file upstream; see :attr:`Known.marker`.
        address: the address that it was downloaded from.
        size: the size in bytes.
    """

    path: Path
    name: str
    release: str
    marker: str
    address: str
    size: int

    async def discard(self) -> None:
        """Remove the copy, so that the next attempt downloads the file again."""
        await asyncio.to_thread(self.path.unlink, missing_ok=True)


class Known(msgspec.Struct):
    """The metadata of the file: its upstream version, and the size and time of the copy."""

    release: str
    etag: str | None
    last_modified: str | None
    size: int = -1
    mtime_ns: int = -1

    @property
    def marker(self) -> str:
        """The identity of the version: ``ETag``, else ``Last-Modified``, else the date."""
        return self.etag or self.last_modified or self.release


class CachedFile:
    """A file, with its metadata in ``<name>.json`` and its lock in ``<name>.lock`` beside it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._side = path.with_name(path.name + ".json")
        self._lock = path.with_name(path.name + ".lock")

    @asynccontextmanager
    async def locked(self) -> AsyncIterator[None]:
        """Hold the lock that allows only one process and task to download this file.

        The kernel releases the lock when its holder exits or dies. The lock is polled, because a
        thread blocked on it could not be cancelled.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            while not _try_lock(descriptor):  # noqa: ASYNC110 # no event crosses processes
                await asyncio.sleep(_LOCK_POLL)
            yield
        finally:
            os.close(descriptor)

    def known(self) -> Known | None:
        """Return the metadata; None if the file is missing or was changed."""
        try:
            known = msgspec.json.decode(self._side.read_bytes(), type=Known)
            found = self.path.stat()
        except (FileNotFoundError, msgspec.MsgspecError, UnicodeDecodeError):
            return None
        if (found.st_size, found.st_mtime_ns) != (known.size, known.mtime_ns):
            return None
        return known

    def refused(self) -> bool:
        """Tell whether the metadata exist, but the file was removed or changed."""
        return self._side.exists() and self.known() is None

    def forget(self) -> None:
        """Remove the metadata."""
        self._side.unlink(missing_ok=True)

    def note_use(self) -> None:
        """Record the current time as the last use, as the modification time of the metadata."""
        with contextlib.suppress(FileNotFoundError):
            os.utime(self._side)

    def unused_for(self) -> float | None:
        """Return the seconds since the last use; None if this program did not write the file."""
        try:
            msgspec.json.decode(self._side.read_bytes(), type=Known)
            times = [path.stat().st_mtime for path in (self._side, self.path) if path.exists()]
        except (FileNotFoundError, msgspec.MsgspecError, UnicodeDecodeError):
            return None
        return time.time() - max(times)

    def remove(self) -> None:
        """Remove the file, its metadata and its lock."""
        for path in (self.path, self._side, self._lock):
            path.unlink(missing_ok=True)

    @contextmanager
    def locked_now(self) -> Iterator[bool]:
        """Try to take the lock of :meth:`locked`, and yield whether it was free."""
        descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            yield _try_lock(descriptor)
        finally:
            os.close(descriptor)

    def start_part(self) -> Path:
        """Create an empty file to download into, and remove the leftovers of killed processes."""
        for left in self.path.parent.glob(f"{self.path.name}.*.part"):
            left.unlink(missing_ok=True)
        # a unique name, because a cancelled download may still write its last block
        descriptor, name = tempfile.mkstemp(".part", f"{self.path.name}.", self.path.parent)
        os.close(descriptor)
        return Path(name)

    def commit(self, part: Path, known: Known) -> None:
        """Replace the file with a completed download."""
        with part.open("rb") as written:
            os.fsync(written.fileno())
        found = part.stat()
        known.size, known.mtime_ns = found.st_size, found.st_mtime_ns
        part.replace(self.path)
        self.remember(known)

    def remember(self, known: Known) -> None:
        """Write the metadata."""
        side = self._side.with_name(self._side.name + ".new")
        side.write_bytes(msgspec.json.encode(known))
        side.replace(self._side)


@contextmanager
def waiting_for_disk() -> Iterator[None]:
    """Turn the error of a full disk into a wait.

    Raises:
        Wait: the disk is full.
    """
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise Wait("disk", 60) from error
        raise


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
