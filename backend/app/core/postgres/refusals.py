"""Explains why PostgreSQL refuses a connection or a statement, and what to do about it."""

import re
import shlex

import psycopg

from app.core.errors import FIND_SESSION, MIGRATE, START_SERVERS, UserError
from app.db import address
from app.db.sqlstate import UNAVAILABLE, sqlstate

NO_DATABASE = re.compile(r'database ".*" does not exist')
"""The text of an error for which libpq provides no SQLSTATE."""

PGBOUNCER_LINE = "ignore_startup_parameters = options"
"""The line in ``pgbouncer.ini`` without which PgBouncer refuses connections with options."""

_REFUSED_USER = re.compile(
    r'authentication failed for user|no password supplied|role ".*" does not exist'
    r"|is not permitted to log in|permission denied for database"
)
_NO_OPTIONS = re.compile(r"unsupported startup parameter.*\boptions\b")
_NO_RIGHT_ON_SCHEMA = re.compile(r"permission denied for schema (.+)")
_OTHERS_TABLE = re.compile(r"must be owner of")

LOCKED = "55P03"
"""SQLSTATE `lock_not_available`."""

_KNOWN = {
    "3F000": (
        "there is no such schema",
        "a search_path whose first schema exists",
        "CREATE SCHEMA in psql, or correct `options` in DATABASE_URL",
    ),
    "25006": (
        "PostgreSQL is read-only",
        "the primary server, and a role without default_transaction_read_only",
        "correct DATABASE_URL in .env: `?target_session_attrs=read-write` finds the primary",
    ),
    LOCKED: (
        "another session holds a lock for too long",
        "locks that are released within seconds",
        "end the session that holds it, then try again",
    ),
}
"""By SQLSTATE: the problem, the allowed state, and the remedy."""


class Refused(UserError):
    """A privilege or a schema is missing, which an SQL statement can provide.

    Attributes:
        statement: the SQL statement.
        who: a role that may execute the statement; None if it is unknown.
    """

    def __init__(self, found: str, *, allowed: str, statement: str, who: str | None = None) -> None:
        by = who or "the owner of the tables, or a superuser"
        super().__init__(found, allowed=allowed, remedy=f"as {by}, in psql: {statement}")
        self.statement = statement
        self.who = who


def explain(error: BaseException, dsn: str, schema: str | None = None) -> UserError | None:
    """Return an error that tells an operator what to do; None if the error is a bug.

    Args:
        error: an error of psycopg, or SQLAlchemy's wrapper of one.
        dsn: the address that was used.
        schema: the schema of the tables, if it is known.
    """
    original = getattr(error, "orig", None) or error
    if not isinstance(original, psycopg.Error):
        return None
    state, where, cause = sqlstate(original), address.where(dsn), _first_line(original)
    if state is None:
        lost = isinstance(original, psycopg.OperationalError | psycopg.InterfaceError)
        return _not_connected(dsn, str(original), where, cause) if lost else None
    if state == "42501":
        return _not_allowed(address.user(dsn), where, cause, schema or "public")
    if state in _KNOWN:
        found, allowed, remedy = _KNOWN[state]
        steps = (FIND_SESSION,) if state == LOCKED else ()
        return UserError(
            f"{found} at {where}: {cause}", allowed=allowed, remedy=remedy, steps=steps
        )
    return _unusable(where, cause) if state.startswith(UNAVAILABLE) else None


def _first_line(error: BaseException) -> str:
    message = str(error).strip()
    return message.splitlines()[0] if message else type(error).__name__


def _unusable(where: str, cause: str) -> UserError:
    return UserError(
        f"PostgreSQL cannot be used at {where}: {cause}",
        allowed="DATABASE_URL=postgresql://user:password@host:5432/name of a running server",
        remedy="start PostgreSQL, or correct DATABASE_URL in .env",
        steps=(START_SERVERS,),
    )


def _not_connected(dsn: str, message: str, where: str, cause: str) -> UserError:
    # libpq provides no SQLSTATE for a refused connection, so only the server's message is left
    if _REFUSED_USER.search(message):
        return UserError(
            f"PostgreSQL refuses the user or the password in DATABASE_URL, at {where}: {cause}",
            allowed="a user that the server knows, with its password",
            remedy="correct DATABASE_URL in .env",
        )
    if NO_DATABASE.search(message):
        given = address.parse(dsn)
        # template1 may have another encoding, and only template0 accepts a different one
        words = ["createdb", "-T", "template0", "-E", "UTF8"]
        for option, name in (("-h", "host"), ("-p", "port"), ("-U", "user")):
            words += [option, given[name]] if name in given else []
        create = shlex.join([*words, given.get("dbname", "")])
        return UserError(
            f"PostgreSQL runs, but has no such database, at {where}: {cause}",
            allowed="a database that exists",
            remedy=f"`{create}`, then migrate the database; or correct DATABASE_URL in .env",
            steps=(MIGRATE,),
        )
    if _NO_OPTIONS.search(message):
        return UserError(
            f"PgBouncer refuses the options in DATABASE_URL or PGOPTIONS, at {where}: {cause}",
            allowed=f"`{PGBOUNCER_LINE}` in pgbouncer.ini; PgBouncer then ignores the options",
            remedy="remove the options, and set the same with ALTER ROLE ... SET",
        )
    return _unusable(where, cause)


def _not_allowed(role: str, where: str, cause: str, schema: str) -> UserError:
    found = f"PostgreSQL does not allow {role} to do that, at {where}: {cause}"
    if _OTHERS_TABLE.search(cause):
        return UserError(
            found,
            allowed="the role that owns the tables",
            remedy="use that role in DATABASE_URL, or make this one the owner with ALTER TABLE",
        )
    named = _NO_RIGHT_ON_SCHEMA.search(cause)
    return Refused(
        found,
        allowed=f"a role with privileges on schema {named[1] if named else schema}",
        statement=grants(named[1] if named else schema, role, make_tables=named is not None),
    )


def grants(schema: str, role: str, *, make_tables: bool) -> str:
    """Return the SQL that lets a role use a schema.

    Args:
        schema: the schema of the tables.
        role: the role that uses it.
        make_tables: whether the role creates the tables; otherwise another role owns them.
    """
    place, whom = identifier(schema), identifier(role)
    if make_tables:
        return f"GRANT USAGE, CREATE ON SCHEMA {place} TO {whom}"
    return (
        f"GRANT USAGE ON SCHEMA {place} TO {whom};"
        f" GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {place} TO {whom};"
        f" GRANT USAGE ON ALL SEQUENCES IN SCHEMA {place} TO {whom}"
    )


def identifier(name: str) -> str:
    """Return a name as an SQL identifier, quoted if necessary."""
    plain = re.fullmatch(r"[a-z_][a-z0-9_]*", name)
    return name if plain else '"' + name.replace('"', '""') + '"'
