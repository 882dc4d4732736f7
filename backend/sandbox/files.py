import asyncio
import hashlib
import os
import tempfile
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from functools import cache
from pathlib import Path

from sandbox import wrong_files
from sandbox.catalogue import Gene
from sandbox.options import Options
from sandbox.service import ServedFile

#: The `Last-Modified` of generated files, equal in all processes.
CHANGED = datetime(2025, 11, 2, 8, 0, tzinfo=UTC)

_CHUNK = 256 * 1024
_MAX_KEPT = 512
_LATER = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Served:
    """A file to serve."""

    path: Path
    size: int
    etag: str
    changed: datetime

    @property
    def headers(self) -> dict[str, str]:
        """Return the headers of a GET, a HEAD and a 304."""
        return {
            "ETag": self.etag,
            "Last-Modified": format_datetime(self.changed, usegmt=True),
            "Accept-Ranges": "bytes",
        }

    def unchanged_for(self, headers: dict[str, str]) -> bool:
        """Tell whether the client of a conditional request already has this version."""
        if known := headers.get("if-none-match"):
            return self.etag in [tag.strip().removeprefix("W/") for tag in known.split(",")]
        try:
            since = parsedate_to_datetime(headers.get("if-modified-since", ""))
        except ValueError:
            return False
        return since >= self.changed

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the content. A thread reads it, so that the event loop is not blocked."""
        with self.path.open("rb") as file:
            while chunk := await asyncio.to_thread(file.read, _CHUNK):
                yield chunk


class Files:
    """The bulk files. A thread generates each at the first request and stores it on disk.

    Processes with equal options serve the same file with the same ETag.
    """

    def __init__(
        self, options: Options, genes: Sequence[Gene], files: Sequence[ServedFile]
    ) -> None:
        self._options = options
        self._genes = genes
        self._files = {file.name: file for file in files}
        self._locks = {name: asyncio.Lock() for name in self._files}
        self._digest = self._of_options()

    async def get(self, name: str, wrong: str | None = None) -> Served:
        """Return a file, and generate it if it does not exist.

        Args:
            name: see :attr:`ServedFile.name`.
            wrong: the fault that turns it into another, newer file; see :mod:`sandbox.wrong_files`.
        """
        file = self._files[name]
        if wrong is not None and not wrong_files.can_be(wrong, file):
            wrong = None
        if file.given is not None and wrong is None:
            stat = file.given.stat()
            changed = datetime.fromtimestamp(int(stat.st_mtime), UTC)
            return Served(file.given, stat.st_size, f'"{stat.st_size:x}-given"', changed)
        path = self._path(name, wrong)
        async with self._locks[name]:
            if not path.exists():
                await asyncio.to_thread(self._build, name, path, wrong)
        path.touch()  # the least recently used files are removed first
        size = path.stat().st_size
        if wrong is not None:
            return Served(path, size, f'"{self._digest[:16]}-{wrong}"', CHANGED + _LATER)
        return Served(path, size, f'"{self._digest[:16]}-{size:x}"', CHANGED)

    def prepare(self) -> None:
        """Generate all files that do not exist yet."""
        for name in self._files:
            if not self._path(name).exists():
                self._build(name, self._path(name))

    def _path(self, name: str, wrong: str | None = None) -> Path:
        suffix = Path(self._files[name].path).suffix
        made = name if wrong is None else f"{name}.{wrong}"
        return self._options.cache_dir / f"{self._digest[:24]}-{made}{suffix}"

    def _build(self, name: str, path: Path, wrong: str | None = None) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        old = sorted(path.parent.glob("*-*.*"), key=os.path.getmtime)
        for stale in old[: max(0, len(old) - _MAX_KEPT)]:
            stale.unlink(missing_ok=True)
        # Uses a temporary name until the file is complete, because another process may generate the
        # same file.
        handle, made = tempfile.mkstemp(dir=path.parent, prefix=".making-")
        os.close(handle)
        try:
            if wrong is None:
                self._files[name].write(Path(made), self._genes)
            else:
                wrong_files.write(wrong, self._files[name], Path(made), self._genes)
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
        # includes the code, so that files of an earlier version are not served
        digest.update(_code())
        return digest.hexdigest()


@cache
def _code() -> bytes:
    return b"".join(module.read_bytes() for module in sorted(Path(__file__).parent.rglob("*.py")))
