"""Migrated databases, one for each test, which a later test may get again."""

import uuid

import psycopg
from psycopg import sql
from sqlalchemy import create_engine

from app.db import migrate
from app.db.engine import psycopg_url
from services.postgres import Postgres

TEMPLATE = "template_migrated"

MOST_BYTES = 1_000_000
"""Of deleted rows in a database that is used again."""

_END_SESSIONS = """
SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""

# Each change of the schema, of a right or of a setting writes a row of a catalogue. The number of
# the transaction that wrote it is the row's `xmin`. PostgreSQL's own objects are below 16384.
_SCHEMA = """
SELECT count(*), max(written::text::bigint),
       (SELECT count(*) FROM pg_db_role_setting s, pg_database d
        WHERE s.setdatabase = d.oid AND d.datname = current_database())
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
SELECT oid::regclass::text, pg_relation_size(oid) FROM pg_class
WHERE oid >= 16384 AND relkind = 'r' AND relname <> 'alembic_version' AND pg_relation_size(oid) > 0
"""

_RESTART_SEQUENCES = "SELECT setval(seqrelid::regclass, seqstart, false) FROM pg_sequence"


class Databases:
    """The databases of a test session.

    To create and drop a database takes as long as many a test. So a database without rows whose
    schema, rights and settings are as they were serves a further test.
    """

    def __init__(self, server: Postgres) -> None:
        self._server = server
        self._free: list[str] = []
        self._schemas: dict[str, object] = {}
        with psycopg.connect(server.dsn, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {TEMPLATE}".encode())
        engine = create_engine(psycopg_url(self.dsn(TEMPLATE)))
        with engine.begin() as connection:
            migrate.upgrade(connection)
        engine.dispose()
        with self._inside(TEMPLATE) as inside:
            self._version = _version(inside)

    def dsn(self, name: str) -> str:
        """Return a database's address, for the role of the project."""
        return _named(self._server.dsn, name)

    def take(self) -> str:
        """Return the name of a migrated database without rows that nobody uses."""
        if self._free:
            return self._free.pop()
        name = self.create(TEMPLATE)
        with self._inside(name) as connection:
            self._schemas[name] = _schema(connection)
        return name

    def give_back(self, name: str) -> None:
        """End all sessions of a database, and keep it for another test or drop it."""
        with self._inside(name) as connection:
            connection.execute(_END_SESSIONS)
            as_it_was = _schema(connection) == self._schemas[name]
            reusable = as_it_was and _version(connection) == self._version and _emptied(connection)
        if reusable:
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
        # an autovacuum worker that is in it is the superuser's, and only that one may end it
        with psycopg.connect(self._server.superuser_dsn, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())

    def _inside(self, name: str) -> psycopg.Connection:
        return psycopg.connect(_named(self._server.superuser_dsn, name), autocommit=True)


def _named(dsn: str, database: str) -> str:
    url = psycopg_url(dsn).set(drivername="postgresql", database=database)
    return url.render_as_string(hide_password=False)


def _schema(connection: psycopg.Connection) -> object:
    return connection.execute(_SCHEMA).fetchone()


def _version(connection: psycopg.Connection) -> object:
    return connection.execute("SELECT version_num FROM public.alembic_version").fetchall()


def _emptied(connection: psycopg.Connection) -> bool:
    """Delete all rows, unless too many deleted ones would stay behind."""
    used = connection.execute(_USED).fetchall()
    if sum(size for _, size in used) > MOST_BYTES:
        return False
    # without foreign keys and triggers, so in any order
    connection.execute("SET session_replication_role = replica")
    for table, _ in used:
        connection.execute(sql.SQL("DELETE FROM {}").format(sql.SQL(table)))
    connection.execute(_RESTART_SEQUENCES)
    return True
