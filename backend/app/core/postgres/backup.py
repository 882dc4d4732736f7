"""Backs up an installation with `pg_dump`, and restores it with `pg_restore`.

A backup contains the tables in PostgreSQL. Redis needs no backup: recovery resends the wake-ups.
"""

import os
import re
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, Any
from urllib.parse import quote

import psycopg
from psycopg import sql
from psycopg.rows import namedtuple_row

from app.core.errors import MIGRATE, UserError
from app.core.postgres import programs
from app.core.postgres.place import PLACE, misplaced
from app.core.postgres.refusals import NO_DATABASE
from app.core.process.checkout import ROOT
from app.core.process.redaction import redact
from app.db import address

FOLDER = ROOT / "backups"
"""The default folder of backups."""


def new_name() -> Path:
    """Return the default path of a new backup. Sorting the names sorts the backups by time."""
    return FOLDER / f"kidney-genetics-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.dump"


def write(dsn: str, file: Path) -> None:
    """Write a backup of this installation to a file that only its owner can read.

    Runs continue meanwhile. The file gets its name when it is complete. It contains the schema of
    this installation, and no other schema of the database.

    Raises:
        UserError: the file exists or cannot be written, the search_path does not lead to the
            tables, or no installed `pg_dump` supports this server.
        psycopg.Error: PostgreSQL cannot be reached, or refuses this role.
    """
    if file.exists():
        raise UserError(f"the file {file} already exists", remedy="give another name")
    dump = _dump(*_find(dsn))
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        # a new temporary file has mode 0600, whatever the mode of an earlier partial file
        with NamedTemporaryFile(
            prefix=f"{file.name}.", suffix=".partial", dir=file.parent, delete=False
        ) as partial:
            try:
                _run(dump, dsn, partial)
                Path(partial.name).replace(file)
            finally:
                Path(partial.name).unlink(missing_ok=True)
    except OSError as error:
        raise UserError(f"{file} cannot be written: {error}", remedy="give another name") from error


@dataclass(frozen=True, slots=True)
class Commands:
    """The commands that write and verify a backup of an installation.

    Attributes:
        dump: writes the backup to standard output.
        contents: lists the contents of a backup; append the name of the file.
        read: reads a whole backup without restoring it; append the name of the file.
    """

    dump: list[str]
    contents: list[str]
    read: list[str]


def commands_for(dsn: str) -> Commands:
    """Return the commands that write and verify a backup of an installation.

    Raises:
        UserError: the search_path does not lead to the tables, or no installed `pg_dump` or
            `pg_restore` supports this server.
        psycopg.Error: PostgreSQL cannot be reached, or refuses this role.
    """
    server, schema = _find(dsn)
    dump, restore = _dump(server, schema), str(programs.fitting("pg_restore", server))
    # without a database, pg_restore writes the SQL of the restore to the file
    return Commands(dump, [restore, "--list"], [restore, f"--file={os.devnull}"])


def _find(dsn: str) -> tuple[int, str]:
    """Return the major version of the server, and the schema of this installation."""
    with _connect(dsn) as connection:
        server = connection.info.server_version // 10_000
        place: Any = connection.cursor(row_factory=namedtuple_row).execute(PLACE).fetchone()
    if not place.here:
        raise misplaced(place, dsn) or UserError(
            f"the tables of this project do not exist at {address.where(dsn)}",
            remedy="migrate the database",
            steps=(MIGRATE,),
        )
    return server, place.schema


def _dump(server: int, schema: str) -> list[str]:
    """Return the command that writes a backup of a schema to standard output."""
    program = programs.fitting("pg_dump", server)
    # pg_dump expects a pattern; inside double quotes, no character is special
    pattern = '--schema="' + schema.replace('"', '""') + '"'
    return [str(program), "--format=custom", "--no-owner", "--no-privileges", pattern]


def read(dsn: str, file: Path) -> None:
    """Restore a backup into an empty schema, in one transaction.

    The database and the schema are created if they do not exist.

    Raises:
        UserError: the file is not a backup of this project, or is a backup of another schema; the
            schema is not empty; or no installed `pg_restore` supports this server.
        psycopg.Error: PostgreSQL cannot be reached, or refuses this role.
    """
    if not file.is_file():
        raise UserError(f"there is no file {file}", remedy=f"list the backups with `ls {FOLDER}`")
    schema = _schema_of(file)
    _create_missing(dsn)
    with _connect(dsn) as connection:
        program = programs.fitting("pg_restore", connection.info.server_version // 10_000)
        _prepare(connection, schema, dsn)
        name = connection.info.dbname
    options = ["--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction"]
    _run([str(program), *options, f"--schema={schema}", f"--dbname={name}", str(file)], dsn)


def _connect(dsn: str, **others: str) -> psycopg.Connection[Any]:
    """Open a connection of psycopg, which can quote the name of a database in a statement."""
    parameters: dict[str, Any] = address.parameters(dsn, session=programs.SESSION) | others
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
        # template1 may have another encoding, and only template0 accepts a different one
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'").format(name)
        )


def _prepare(connection: psycopg.Connection[Any], schema: str, dsn: str) -> None:
    """Create the schema of a backup if it does not exist, and check that it is empty."""
    existing = connection.execute("SELECT FROM pg_namespace WHERE nspname = %s", (schema,))
    # IF NOT EXISTS requires the privilege to create schemas even if the schema exists
    if existing.fetchone() is None:
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
            f"the backup is of schema {schema}, but the search_path leads to schema"
            f" {row[0] or '(none)'} at {address.where(dsn)}",
            allowed="the schema of the backup",
            remedy=f"set DATABASE_URL with ?options=-csearch_path%3D{quote(schema, safe='')}",
        )
    if row[1]:
        where = connection.info.dbname + (f", schema {schema}," if schema != "public" else "")
        raise UserError(
            f"the database {where} is not empty",
            allowed="an empty database, or the name of a database that does not exist yet",
            remedy="set DATABASE_URL in .env to a new database; the restore creates it",
        )


def _schema_of(file: Path) -> str:
    program = programs.newest("pg_restore")
    if program is None:
        raise UserError(
            "pg_restore is not installed",
            allowed="pg_restore of the server's version or later, on the PATH",
            remedy="apt install postgresql-client",
        )
    listed = subprocess.run(  # noqa: S603 - PostgreSQL's own program
        [program, "--list", file], capture_output=True, text=True, check=False
    )
    schema = schema_in(listed.stdout)
    if listed.returncode or schema is None:
        why = f": {listed.stderr.strip().splitlines()[0]}" if listed.stderr.strip() else ""
        raise UserError(
            f"{file} is not a backup of this project{why}",
            allowed="a file that the backup command wrote",
            remedy=f"list the backups with `ls {FOLDER}`",
        )
    return schema


def schema_in(contents: str) -> str | None:
    """Return the schema of this project's tables in the list of `pg_restore`; None without them."""
    # a line looks like this: 215; 1259 16386 TABLE public alembic_version kidney
    table = re.search(r"^\d+; \d+ \d+ TABLE (.+) alembic_version ", contents, re.MULTILINE)
    return table[1] if table else None


def _run(command: list[str], dsn: str, output: IO[bytes] | None = None) -> None:
    done = subprocess.run(  # noqa: S603 - PostgreSQL's own program
        command,
        env=programs.environment(dsn),
        stdout=output or subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        check=False,
    )
    if done.returncode:
        raise failed(command, done.stderr)


def failed(command: list[str], errors: bytes) -> UserError:
    """Return the error for a program that failed.

    Args:
        command: the program and its arguments.
        errors: its standard error.
    """
    message = redact(errors.decode(errors="replace").strip())
    return UserError(f"{Path(command[0]).name} failed: {message[-2_000:]}")
