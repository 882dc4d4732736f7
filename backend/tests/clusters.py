"""PostgreSQL's data folders for tests: one is initialised, and all others are copies of it."""

import fcntl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from services.postgres import Postgres
from services.privileges import Account, account_for

_INITDB = Postgres._initdb


@contextmanager
def copied_instead_of_initialised(shared: Path) -> Iterator[None]:
    """Let new servers begin with a copy of a data folder, which takes a tenth of the time.

    Args:
        shared: a folder of all processes of this test run. The first server of all initialises it.
    """

    def copy(self: Postgres, programs: Path, account: Account) -> None:
        original = Postgres(shared / "cluster", port=1, fsync=False)
        with (shared / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (shared / "done").exists():
                original.folder.mkdir(mode=0o755)
                owner = account_for(original.folder, programs)
                owner.own(original.folder)
                _INITDB(original, programs, owner)
                (shared / "done").touch()
        for name in ("data", "password"):
            # with the owner, who is not this user if this user is root
            copied = ["cp", "-a", str(original.folder / name), str(self.folder / name)]
            subprocess.run(copied, check=True)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Postgres, "_initdb", copy)
        yield


@contextmanager
def initialised() -> Iterator[None]:
    """Let new servers be initialised as those of the project are."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Postgres, "_initdb", _INITDB)
        yield
