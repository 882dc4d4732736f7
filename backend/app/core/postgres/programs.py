"""Finds PostgreSQL's client programs, and builds their environment."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from psycopg.pq import Conninfo

from app.core.errors import UserError
from app.db import address

SESSION = "kidney-genetics backup"
"""``application_name`` of the sessions that write and read backups."""

_FOLDERS = ("usr/lib/postgresql/*/bin", "usr/pgsql-*/bin")
"""Folders outside of PATH in which distributions install several versions side by side."""


def fitting(name: str, server: int) -> Path:
    """Find the oldest program that is at least as new as the server; older ones refuse it.

    Args:
        name: ``pg_dump`` or ``pg_restore``.
        server: the major version of the server.

    Raises:
        UserError: no such program is installed.
    """
    found = {_major(path): path for path in reversed(list(_candidates(name)))}
    able = [version for version in found if version >= server]
    if not able:
        have = ", ".join(str(version) for version in sorted(found)) or "none"
        raise UserError(
            f"{name} for PostgreSQL {server} is not installed; installed versions: {have}",
            allowed=f"{name} {server} or later on the PATH",
            remedy=f"apt install postgresql-client-{server}",
        )
    return found[min(able)]


def newest(name: str) -> Path | None:
    """Return the newest program, which reads the files of older ones; None if there is none."""
    return max(_candidates(name), key=_major, default=None)


def environment(dsn: str) -> dict[str, str]:
    """Return an environment from which a program reads the address of a database.

    The address is not passed as an argument, because every user of the host can read arguments.
    """
    given = address.parameters(dsn, session=SESSION)
    names = {o.keyword.decode(): o.envvar.decode() for o in Conninfo.get_defaults() if o.envvar}
    return os.environ | {names[name]: value for name, value in given.items() if name in names}


def _candidates(name: str) -> Iterator[Path]:
    for folder in os.get_exec_path():
        if found := shutil.which(name, path=folder):
            yield Path(found)
    for pattern in _FOLDERS:
        yield from (folder / name for folder in Path("/").glob(pattern) if (folder / name).exists())


def _major(program: Path) -> int:
    output = subprocess.run(  # noqa: S603 - PostgreSQL's own program
        [program, "--version"], capture_output=True, text=True, check=False
    ).stdout
    version = re.search(r"(\d+)", output)
    return int(version[1]) if version else 0
