"""Migrated databases, one for each test, which a later test may get again."""

import select
import uuid
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row
from sqlalchemy import create_engine

from app.db import migrate
from app.db.engine import psycopg_url
from services.postgres import Postgres

TEMPLATE = "template_migrated"

MAX_BYTES = 1_000_000
"""Of deleted rows in a database that is used again."""

_END_SESSIONS = """
SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""

# Each change of the schema, of a right or of a setting writes a row of a catalogue. The number of
# the transaction that wrote it is the row's `xmin`. PostgreSQL's own objects are below 16384.
_SCHEMA = """
SELECT count(*) AS objects, max(written::text::bigint) AS newest,
       (SELECT count(*) FROM pg_db_role_setting s, pg_database d
        WHERE s.setdatabase = d.oid AND d.datname = current_database()) AS settings
FROM (
    SELECT xmin AS written FROM pg_class WHERE oid >= 16384
    UNION ALL SELECT xmin FROM pg_attribute WHERE attrelid >= 16384
    UNION ALL SELECT xmin FROM pg_attrdef
    UNION ALL SELECT xmin FROM pg_constraint WHERE oid >= 16384
    UNION ALL SELECT xmin FROM pg_index WHERE indrelid >= 16384
    UNION ALL SELECT xmin FROM pg_trigger
    UNION ALL SELECT xmin FROM pg_rewrite WHERE oid >= 16384
    UNION ALL SELECT xmin FROM pg_policy
    UNION ALL SELECT xmin FROM pg_proc WHERE oid >= 16384
    UNION ALL SELECT xmin FROM pg_type WHERE oid >= 16384
    UNION ALL SELECT xmin FROM pg_description WHERE objoid >= 16384
    UNION ALL SELECT xmin FROM pg_namespace WHERE nspname !~ '^pg_(toast_)?temp_'
    UNION ALL SELECT xmin FROM pg_default_acl
    UNION ALL SELECT xmin FROM pg_extension
    UNION ALL SELECT xmin FROM pg_database WHERE datname = current_database()
) AS catalogues
"""

_USED = """
SELECT oid::regclass::text AS name, pg_relation_size(oid) AS size FROM pg_class
WHERE oid >= 16384 AND relkind = 'r' AND relname <> 'alembic_version' AND pg_relation_size(oid) > 0
"""

_RESTART_SEQUENCES = "SELECT setval(seqrelid::regclass, seqstart, false) FROM pg_sequence"


class Session:
    """A session in a database, for statements that are committed one by one.

    It is opened by the first statement, and again after the server has ended it. A session of its
    own for each statement would cost ten times as much as the statement.
    """

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._connection: psycopg.Connection[dict[str, Any]] | None = None

    def execute(
        self, statement: str | sql.Composed, values: tuple[Any, ...] = ()
    ) -> list[dict[str, Any]]:
        """Execute a statement, and return the rows if there are any."""
        if self._connection is None or _ended(self._connection):
            self.close()
            # not prepared, because a test may change the schema meanwhile
            self._connection = psycopg.connect(
                self._dsn, autocommit=True, row_factory=dict_row, prepare_threshold=None
            )
        composed = statement if isinstance(statement, sql.Composed) else statement.encode()
        cursor = self._connection.execute(composed, values)
        return cursor.fetchall() if cursor.description else []

    def close(self) -> None:
        """End the session."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class Databases:
    """The databases of a test session.

    To create and drop a database takes as long as many a test. So a database without rows whose
    schema, rights and settings are as they were serves a further test.
    """

    def __init__(self, server: Postgres) -> None:
        self._server = server
        self._free: list[str] = []
        self._schemas: dict[str, object] = {}
        self._sessions: dict[str, Session] = {}
        with psycopg.connect(server.dsn, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {TEMPLATE}".encode())
        engine = create_engine(psycopg_url(self.dsn(TEMPLATE)))
        with engine.begin() as connection:
            migrate.upgrade(connection)
        engine.dispose()
        inside = Session(self._as_superuser(TEMPLATE))
        self._version = _version(inside)
        inside.close()

    def dsn(self, name: str) -> str:
        """Return a database's address, for the role of the project."""
        return _named(self._server.dsn, name)

    def take(self) -> str:
        """Return the name of a migrated database without rows that nobody uses."""
        if self._free:
            return self._free.pop()
        name = self.create(TEMPLATE)
        self._sessions[name] = Session(self._as_superuser(name))
        self._schemas[name] = _schema(self._sessions[name])
        return name

    def give_back(self, name: str) -> None:
        """End all sessions of a database, and keep it for another test or drop it."""
        inside = self._sessions[name]
        inside.execute(_END_SESSIONS)
        as_it_was = _schema(inside) == self._schemas[name]
        if as_it_was and _version(inside) == self._version and _emptied(inside):
            self._free.append(name)
        else:
            self.drop(name)

    def create(self, template: str = "template1") -> str:
        """Create a database and return its name."""
        name = f"test_{uuid.uuid4().hex}"
        with psycopg.connect(self._server.dsn, autocommit=True) as connection:
            # two checkpoints instead of a log of every page; a third of the processor time
            copied = f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY"
            connection.execute(copied.encode())
        return name

    def drop(self, name: str) -> None:
        """Drop a database, also one that is in use."""
        if name in self._sessions:
            self._sessions.pop(name).close()
        # an autovacuum worker that is in it is the superuser's, and only that one may end it
        with psycopg.connect(self._server.superuser_dsn, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())

    def close(self) -> None:
        """End the sessions that wait for the next use of a database."""
        for session in self._sessions.values():
            session.close()

    def _as_superuser(self, name: str) -> str:
        return _named(self._server.superuser_dsn, name)


def _named(dsn: str, database: str) -> str:
    url = psycopg_url(dsn).set(drivername="postgresql", database=database)
    return url.render_as_string(hide_password=False)


def _ended(connection: psycopg.Connection[Any]) -> bool:
    # the server says nothing to an idle session but that it ends it
    poll = select.poll()
    if not connection.closed:
        poll.register(connection.fileno(), select.POLLIN)
    return connection.closed or bool(poll.poll(0))


def _schema(inside: Session) -> object:
    return inside.execute(_SCHEMA)


def _version(inside: Session) -> object:
    return inside.execute("SELECT version_num FROM public.alembic_version")


def _emptied(inside: Session) -> bool:
    """Delete all rows, unless too many deleted ones would stay behind."""
    used = inside.execute(_USED)
    if sum(table["size"] for table in used) > MAX_BYTES:
        return False
    # without foreign keys and triggers, so in any order
    inside.execute("SET session_replication_role = replica")
    for table in used:
        inside.execute(sql.SQL("DELETE FROM {}").format(sql.SQL(table["name"])))
    inside.execute(_RESTART_SEQUENCES)
    return True
