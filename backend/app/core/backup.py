"""The database into a file, and back: what PostgreSQL's own programs do, found and guarded.

Only PostgreSQL is in a backup. Redis holds nothing that recovery does not ring again.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from psycopg import pq, sql

from app.core.config import ROOT
from app.core.errors import UserError
from app.core.redact import redact
from app.core.schema import NO_DATABASE
from app.db.engine import libpq_dsn

FOLDER = ROOT / "backups"
"""Where backups go that are given no name."""

_MORE_PLACES = ("usr/lib/postgresql/*/bin", "usr/pgsql-*/bin")
"""Where distributions keep versions of PostgreSQL side by side, off the PATH."""


def new_name() -> Path:
    """Return a file of today's, in the order of time when sorted by name."""
    return FOLDER / f"kidney-genetics-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.dump"


def write(dsn: str, file: Path) -> None:
    """Write the database, as it is at this moment, into a file that only its owner can read.

    Runs go on meanwhile. The file is there when it is complete, and not before.

    Raises:
        UserError: the file exists or cannot be written, or there is no `pg_dump` that can read
            this server.
        psycopg.OperationalError: PostgreSQL cannot be reached.
    """
    if file.exists():
        raise UserError(f"there is a file {file}", remedy="give another name")
    with psycopg.connect(libpq_dsn(dsn)) as connection:
        program = _program("pg_dump", connection.info.server_version // 10_000)
    partial = file.with_name(file.name + ".partial")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        partial.touch(0o600)
        _run([str(program), "--format=custom", "--no-owner", "--no-privileges"], dsn, partial)
        partial.replace(file)
    except OSError as error:
        raise UserError(f"{file} cannot be written: {error}", remedy="give another name") from error
    finally:
        partial.unlink(missing_ok=True)


def read(dsn: str, file: Path) -> None:
    """Fill an empty database from a backup, whole or not at all; it is made if it is not there.

    Raises:
        UserError: the file is no backup of this project, the database is not empty, or there is
            no `pg_restore` for this server.
        psycopg.OperationalError: PostgreSQL cannot be reached.
    """
    if not file.is_file():
        raise UserError(f"there is no file {file}", remedy=f"`ls {FOLDER}` shows what there is")
    _refuse_what_is_no_backup(file)
    created = _create_missing(dsn)
    with psycopg.connect(libpq_dsn(dsn)) as connection:
        program = _program("pg_restore", connection.info.server_version // 10_000)
        row = connection.execute(
            "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        ).fetchone()
        if not created and row != (0,):
            raise UserError(
                f"the database {connection.info.dbname} is not empty",
                allowed="an empty database, or the name of one that is not there yet",
                remedy="set DATABASE_URL in .env to a new name; the backup makes that database",
            )
    options = ["--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction"]
    name = psycopg.conninfo.conninfo_to_dict(libpq_dsn(dsn)).get("dbname", "")
    _run([str(program), *options, f"--dbname={name}", str(file)], dsn)


def _create_missing(dsn: str) -> bool:
    try:
        psycopg.connect(libpq_dsn(dsn)).close()
    except psycopg.OperationalError as error:
        if not NO_DATABASE.search(str(error)):
            raise
    else:
        return False
    parts = psycopg.conninfo.conninfo_to_dict(libpq_dsn(dsn))
    name = str(parts["dbname"])
    beside = psycopg.conninfo.make_conninfo(libpq_dsn(dsn), dbname="postgres")
    with psycopg.connect(beside, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return True


def _refuse_what_is_no_backup(file: Path) -> None:
    programs = list(_candidates("pg_restore"))
    if not programs:
        # which version is needed is said when the server's is known
        return
    # the newest one reads what any of them wrote
    listed = subprocess.run(  # noqa: S603 - PostgreSQL's own program
        [max(programs, key=_major), "--list", file], capture_output=True, text=True, check=False
    )
    if listed.returncode or " alembic_version" not in listed.stdout:
        said = f": {listed.stderr.strip().splitlines()[0]}" if listed.stderr.strip() else ""
        raise UserError(
            f"{file} is no backup of this project{said}",
            allowed="a file that `just backup` wrote",
            remedy=f"`ls {FOLDER}` shows what there is",
        )


def _program(name: str, server: int) -> Path:
    """Find the oldest program that knows this server: an older one refuses to read it."""
    found = {_major(path): path for path in reversed(list(_candidates(name)))}
    able = [version for version in found if version >= server]
    if not able:
        have = ", ".join(str(version) for version in sorted(found)) or "none"
        raise UserError(
            f"there is no {name} for PostgreSQL {server} here; of other versions: {have}",
            allowed=f"{name} {server} or later on the PATH",
            remedy=f"apt install postgresql-client-{server}",
        )
    return found[min(able)]


def _candidates(name: str) -> Iterator[Path]:
    for folder in os.get_exec_path():
        if found := shutil.which(name, path=folder):
            yield Path(found)
    for pattern in _MORE_PLACES:
        yield from (folder / name for folder in Path("/").glob(pattern) if (folder / name).exists())


def _major(program: Path) -> int:
    said = subprocess.run(  # noqa: S603 - PostgreSQL's own program
        [program, "--version"], capture_output=True, text=True, check=False
    ).stdout
    version = re.search(r"(\d+)", said)
    return int(version[1]) if version else 0


def _run(command: list[str], dsn: str, output: Path | None = None) -> None:
    # by environment variables: a command line, and the password in it, is public
    options = pq.Conninfo.parse(libpq_dsn(dsn).encode())
    given = {o.envvar.decode(): o.val.decode() for o in options if o.envvar and o.val}
    with open(output or os.devnull, "wb") as out:  # noqa: PTH123 - the null device is no Path
        done = subprocess.run(  # noqa: S603 - PostgreSQL's own program
            command, env=os.environ | given, stdout=out, stderr=subprocess.PIPE, check=False
        )
    if done.returncode:
        said = redact(done.stderr.decode(errors="replace").strip())
        raise UserError(f"{Path(command[0]).name} failed: {said[-2_000:]}")
