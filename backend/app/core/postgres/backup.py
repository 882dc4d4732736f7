"""An installation's tables into a file, and back, by PostgreSQL's own programs.

Only PostgreSQL is in a backup. Redis holds nothing that recovery does not send again.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, Any
from urllib.parse import quote

import psycopg
from psycopg import sql
from psycopg.pq import Conninfo
from psycopg.rows import namedtuple_row

from app.core.errors import MIGRATE, UserError
from app.core.postgres.place import PLACE, misplaced
from app.core.postgres.refusals import NO_DATABASE
from app.core.process.checkout import ROOT
from app.core.process.redaction import redact
from app.db import address

FOLDER = ROOT / "backups"
"""Where backups go that are given no name."""

SESSION = "kidney-genetics backup"
"""``application_name`` of what takes and reads backups."""

_MORE_PLACES = ("usr/lib/postgresql/*/bin", "usr/pgsql-*/bin")
"""Where distributions keep versions of PostgreSQL side by side, off the PATH."""


def new_name() -> Path:
    """Return a file of today's, in the order of time when sorted by name."""
    return FOLDER / f"kidney-genetics-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.dump"


def write(dsn: str, file: Path) -> None:
    """Write this installation, as it is at this moment, into a file that only its owner can read.

    Runs go on meanwhile. The file is there when it is complete, and not before. What else is in the
    database, in other schemas, is not in it.

    Raises:
        UserError: the file exists or cannot be written, the tables are not where they are looked
            for, or there is no `pg_dump` that can read this server.
        psycopg.Error: PostgreSQL cannot be reached, or refuses this role.
    """
    if file.exists():
        raise UserError(f"there is a file {file}", remedy="give another name")
    with _connect(dsn) as connection:
        program = _program("pg_dump", connection.info.server_version // 10_000)
        place: Any = connection.cursor(row_factory=namedtuple_row).execute(PLACE).fetchone()
    if not place.here:
        raise misplaced(place, dsn) or UserError(
            f"there are no tables of this project at {address.where(dsn)}",
            remedy="migrate the database",
            steps=(MIGRATE,),
        )
    # a pattern, in which nothing between the quotes is special
    schema = '--schema="' + place.schema.replace('"', '""') + '"'
    command = [str(program), "--format=custom", "--no-owner", "--no-privileges", schema]
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        # of a mode of its own, whatever file of this name an earlier backup left behind
        with NamedTemporaryFile(
            prefix=f"{file.name}.", suffix=".partial", dir=file.parent, delete=False
        ) as partial:
            try:
                _run(command, dsn, partial)
                Path(partial.name).replace(file)
            finally:
                Path(partial.name).unlink(missing_ok=True)
    except OSError as error:
        raise UserError(f"{file} cannot be written: {error}", remedy="give another name") from error


def read(dsn: str, file: Path) -> None:
    """Fill an empty schema from a backup, whole or not at all.

    The database and the schema are made if they are not there.

    Raises:
        UserError: the file is no backup of this project, or one of another schema; the schema is
            not empty; or there is no `pg_restore` for this server.
        psycopg.Error: PostgreSQL cannot be reached, or refuses this role.
    """
    if not file.is_file():
        raise UserError(f"there is no file {file}", remedy=f"`ls {FOLDER}` shows what there is")
    schema = _schema_of(file)
    _create_missing(dsn)
    with _connect(dsn) as connection:
        program = _program("pg_restore", connection.info.server_version // 10_000)
        _prepare(connection, schema, dsn)
        name = connection.info.dbname
    options = ["--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction"]
    _run([str(program), *options, f"--schema={schema}", f"--dbname={name}", str(file)], dsn)


def _connect(dsn: str, **others: str) -> psycopg.Connection[Any]:
    parameters: dict[str, Any] = address.parameters(dsn, session=SESSION) | others
    return psycopg.connect(**parameters)


def _create_missing(dsn: str) -> None:
    try:
        _connect(dsn).close()
    except psycopg.OperationalError as error:
        if not NO_DATABASE.search(str(error)):
            raise
    else:
        return
    with _connect(dsn, dbname="postgres") as connection:
        connection.autocommit = True
        name = sql.Identifier(address.parse(dsn)["dbname"])
        # template1 may have another encoding, and only template0 can be given one
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'").format(name)
        )


def _prepare(connection: psycopg.Connection[Any], schema: str, dsn: str) -> None:
    """Make sure that the tables of a backup will be found, and are in nobody's way."""
    there = connection.execute("SELECT FROM pg_namespace WHERE nspname = %s", (schema,))
    # IF NOT EXISTS wants the right to make schemas even where there is nothing to make
    if there.fetchone() is None:
        connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
    row = connection.execute(
        "SELECT current_schema(), count(c.oid) FROM pg_namespace n"
        " LEFT JOIN pg_class c ON c.relnamespace = n.oid WHERE n.nspname = %s",
        (schema,),
    ).fetchone()
    assert row is not None
    if row[0] != schema:
        connection.rollback()
        raise UserError(
            f"the backup is of schema {schema}, and tables are looked for in"
            f" {row[0] or 'none'}, {address.where(dsn)}",
            allowed="the schema that the backup was taken of",
            remedy=f"set DATABASE_URL with ?options=-csearch_path%3D{quote(schema, safe='')}",
        )
    if row[1]:
        where = connection.info.dbname + (f", schema {schema}," if schema != "public" else "")
        raise UserError(
            f"the database {where} is not empty",
            allowed="an empty database, or the name of one that is not there yet",
            remedy="set DATABASE_URL in .env to a new name; the backup makes that database",
        )


def _schema_of(file: Path) -> str:
    programs = list(_candidates("pg_restore"))
    if not programs:
        raise UserError(
            "there is no pg_restore here",
            allowed="pg_restore, of the server's version or later, on the PATH",
            remedy="apt install postgresql-client",
        )
    # the newest one reads what any of them wrote
    listed = subprocess.run(  # noqa: S603 - PostgreSQL's own program
        [max(programs, key=_major), "--list", file], capture_output=True, text=True, check=False
    )
    # 215; 1259 16386 TABLE public alembic_version kidney
    table = re.search(r"^\d+; \d+ \d+ TABLE (.+) alembic_version ", listed.stdout, re.MULTILINE)
    if listed.returncode or table is None:
        said = f": {listed.stderr.strip().splitlines()[0]}" if listed.stderr.strip() else ""
        raise UserError(
            f"{file} is no backup of this project{said}",
            allowed="a file that the backup command wrote",
            remedy=f"`ls {FOLDER}` shows what there is",
        )
    return table[1]


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


def _run(command: list[str], dsn: str, output: IO[bytes] | None = None) -> None:
    # by environment variables: a command line, and the password in it, is public
    given = address.parameters(dsn, session=SESSION)
    names = {o.keyword.decode(): o.envvar.decode() for o in Conninfo.get_defaults() if o.envvar}
    env = {names[name]: value for name, value in given.items() if name in names}
    done = subprocess.run(  # noqa: S603 - PostgreSQL's own program
        command,
        env=os.environ | env,
        stdout=output or subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        check=False,
    )
    if done.returncode:
        said = redact(done.stderr.decode(errors="replace").strip())
        raise UserError(f"{Path(command[0]).name} failed: {said[-2_000:]}")
