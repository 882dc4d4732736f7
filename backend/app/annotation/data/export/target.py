"""Files that appear when they are complete, or not at all."""

import contextlib
import os
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from app.annotation.data.export.process import ExportFailed
from app.core.errors import WrongUse


class Target:
    """A file that is written under a temporary name beside its own.

    Args:
        path: of the file. A former file stays until :meth:`replace`.

    Raises:
        WrongUse: the path is that of something else than a file.
        OSError: nothing can be written there.
    """

    def __init__(self, path: Path) -> None:
        # a link stays a link
        self.path = path.resolve()
        if self.path.exists() and not self.path.is_file():
            raise WrongUse(
                f"{path} is no file",
                allowed="the name of a file",
                remedy="without --output, the export goes to stdout",
            )
        if not self.path.parent.is_dir():
            raise WrongUse(
                f"there is no folder {self.path.parent}", allowed="a file in a folder that exists"
            )
        self._partial = self.path.with_name(f".{self.path.name}.{secrets.token_hex(4)}.partial")
        self.file: IO[bytes] = self._partial.open("xb")

    def replace(self) -> None:
        """Put the file in the place of the former one. It is on the disk then."""
        self.file.flush()
        os.fsync(self.file.fileno())
        self._partial.replace(self.path)

    def close(self) -> None:
        """Close the file, and remove what was not put in its place."""
        self.file.close()
        self._partial.unlink(missing_ok=True)


@contextmanager
def targets(*paths: Path) -> Iterator[list[Target]]:
    """Return targets for some files of one folder.

    When the context ends without an error, they replace the former files, the first one as the
    last. Otherwise, all former files stay.

    Raises:
        ExportFailed: a file cannot be written.
    """
    try:
        with ExitStack() as stack:
            made = []
            for path in paths:
                made.append(Target(path))
                stack.callback(made[-1].close)
            yield made
            for target in reversed(made):
                target.replace()
            _sync_folder(paths[0].resolve().parent)
    except OSError as error:
        raise ExportFailed(
            f"{error.filename or paths[0]} cannot be written: {error.strerror or error}",
            remedy="give another name, or make room on the disk; a former file is unchanged",
        ) from error


def _sync_folder(folder: Path) -> None:
    # not every file system can do this
    with contextlib.suppress(OSError):
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)
