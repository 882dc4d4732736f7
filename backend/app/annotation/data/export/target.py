"""Writes files atomically: a file appears when it is complete, or not at all."""

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
    """A file that is written under a temporary name in the same folder.

    Args:
        path: the path of the file. An existing file stays until :meth:`replace`.

    Raises:
        WrongUse: the path is not that of a regular file.
        OSError: the folder is not writable.
    """

    def __init__(self, path: Path) -> None:
        # the target of a symbolic link is replaced, not the link
        self.path = path.resolve()
        if self.path.exists() and not self.path.is_file():
            raise WrongUse(
                f"{path} is not a regular file",
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
        """Flush the file to the disk and replace the existing one."""
        self.file.flush()
        os.fsync(self.file.fileno())
        self._partial.replace(self.path)

    def close(self) -> None:
        """Close the file, and remove it if it did not replace the existing one."""
        self.file.close()
        self._partial.unlink(missing_ok=True)


@contextmanager
def targets(*paths: Path) -> Iterator[list[Target]]:
    """Return targets for some files of one folder.

    If the context ends without an error, the targets replace existing files, the first target last.
    Otherwise, all existing files stay.

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
    # not every file system supports this
    with contextlib.suppress(OSError):
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)
