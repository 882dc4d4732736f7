"""A copy of this checkout, in which a test may change what it likes."""

import shutil
from pathlib import Path

from tests.conftest import REPOSITORY

_LEFT = (
    *(".*_cache", ".cache", ".env", ".git", ".hypothesis", ".nox", ".run", ".venv"),
    *("backups", "mirror"),
)


def copy_checkout(root: Path) -> None:
    """Copy the project without its tests and its data; the programs of `.venv` are the same."""
    left = shutil.ignore_patterns(*_LEFT, "__pycache__", "site", "tests")
    shutil.copytree(REPOSITORY, root, ignore=left, dirs_exist_ok=True)
    _link_packages(root)


def _link_packages(root: Path) -> None:
    """Make `make` believe that everything is installed: it must not change the real `.venv`."""
    venv = root / ".venv"
    venv.mkdir()
    for each in (REPOSITORY / ".venv").iterdir():
        if not each.name.startswith("installed"):
            (venv / each.name).symlink_to(each)
    for lock in (root / "requirements").glob("*.txt"):
        (venv / f"installed-{lock.stem}").touch()
