"""Folders in memory, for what is written often and never kept."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

MEMORY = Path("/dev/shm")
_PREFIX = "kidney-genetics-tests-"
NEEDED = 2_000_000_000
"""Bytes that have to be free. A server of the tests uses some hundred megabytes."""


@contextmanager
def in_memory() -> Iterator[Path | None]:
    """Make a folder in memory, and remove it at the end; None where there is too little memory.

    Folders of processes that were killed are removed, too.
    """
    if not os.access(MEMORY, os.W_OK) or shutil.disk_usage(MEMORY).free < NEEDED:
        yield None
        return
    for left in MEMORY.glob(f"{_PREFIX}*"):
        if not psutil.pid_exists(int(left.name.removeprefix(_PREFIX))):
            shutil.rmtree(left, ignore_errors=True)
    folder = MEMORY / f"{_PREFIX}{os.getpid()}"
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
