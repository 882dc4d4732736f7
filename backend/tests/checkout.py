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
    (root / ".venv").symlink_to(REPOSITORY / ".venv")
