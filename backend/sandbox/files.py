import asyncio
import hashlib
import os
import tempfile
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from pathlib import Path

from sandbox.options import Options
from sandbox.service import ServedFile

#: When the generated files say they were changed: the same in every process.
CHANGED = datetime(2025, 11, 2, 8, 0, tzinfo=UTC)

_CHUNK = 256 * 1024
_MAX_KEPT = 16


@dataclass(frozen=True, slots=True)
class Served:
    """A file as it is served."""

    path: Path
    size: int
    etag: str
    changed: datetime

    @property
    def headers(self) -> dict[str, str]:
        """What a GET, a HEAD and a 304 say about it."""
        return {
            "ETag": self.etag,
            "Last-Modified": format_datetime(self.changed, usegmt=True),
            "Accept-Ranges": "bytes",
        }

    def unchanged_for(self, headers: dict[str, str]) -> bool:
        """Whether a conditional request holds this version already."""
        if known := headers.get("if-none-match"):
            return self.etag in [tag.strip().removeprefix("W/") for tag in known.split(",")]
        try:
            since = parsedate_to_datetime(headers.get("if-modified-since", ""))
        except ValueError:
            return False
        return since >= self.changed

    async def chunks(self) -> AsyncIterator[bytes]:
        """The content, read off the event loop."""
        with self.path.open("rb") as file:
            while chunk := await asyncio.to_thread(file.read, _CHUNK):
                yield chunk


class Files:
    """The bulk files. Each is made when first asked for, in a thread, and kept on disk.

    Equal options find it there again in the next process, with the same ETag.
    """

    def __init__(self, options: Options, files: Sequence[ServedFile]) -> None:
        self._options = options
        self._files = {file.file_name: file for file in files}
        self._locks = {name: asyncio.Lock() for name in self._files}
        self._digest = self._of_options()

    async def get(self, name: str) -> Served:
        """Return a file by its name. It is made now if need be."""
        given = self._files[name].given
        if given is not None:
            stat = given.stat()
            changed = datetime.fromtimestamp(int(stat.st_mtime), UTC)
            return Served(given, stat.st_size, f'"{stat.st_size:x}-given"', changed)
        path = self._path(name)
        async with self._locks[name]:
            if not path.exists():
                await asyncio.to_thread(self._build, name, path)
        path.touch()  # the least recently used go first
        size = path.stat().st_size
        return Served(path, size, f'"{self._digest[:16]}-{size:x}"', CHANGED)

    def prepare(self) -> None:
        """Make all files that are not there yet, now."""
        for name in self._files:
            if not self._path(name).exists():
                self._build(name, self._path(name))

    def _path(self, name: str) -> Path:
        return self._options.cache_dir / f"{self._digest[:24]}-{name}"

    def _build(self, name: str, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        old = sorted(path.parent.glob("*-*.*"), key=os.path.getmtime)
        for stale in old[: max(0, len(old) - _MAX_KEPT)]:
            stale.unlink(missing_ok=True)
        # Under a name of its own until it is whole: another process may be making the same file.
        handle, made = tempfile.mkstemp(dir=path.parent, prefix=".making-")
        os.close(handle)
        try:
            self._files[name].write(Path(made))
            Path(made).replace(path)
        finally:
            Path(made).unlink(missing_ok=True)

    def _of_options(self) -> str:
        options = self._options
        digest = hashlib.sha256()
        chosen = (options.genes, options.variants_per_gene, options.skew, options.seed)
        digest.update(repr(chosen).encode())
        for given in (options.gene_list, options.gene_specific_summary):
            digest.update(given.read_bytes() if given else b"-")
        # Other code, other files: what an earlier version made must not be served.
        for module in sorted(Path(__file__).parent.rglob("*.py")):
            digest.update(module.read_bytes())
        return digest.hexdigest()
