"""The checks of PostgreSQL: it can be used, and its sessions behave as the engine requires."""

import asyncio
import secrets
import time
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, LiteralString

from app.core.checks import (
    Check,
    Context,
    Finding,
    by_time,
    check,
    failed,
    is_timeout,
    ok,
    refused,
    warning,
)
from app.core.errors import EDIT_SETTINGS, MIGRATE, UserError, back_up, restore
from app.core.postgres.psql import psql
from app.core.text.words import time_span

if TYPE_CHECKING:
    from psycopg import AsyncConnection

MIN_VERSION = 12
"""The engine's queries use ``AS MATERIALIZED`` (release notes of PostgreSQL 12)."""

LOCK_CLASS = 5_209_019
"""The first half of the keys of the check's advisory locks. Other locks use the oid of a
table, which equals it only by chance."""

MAX_IDLE_SECONDS = 60
"""Seconds. PostgreSQL ends the engine's own idle transactions after 30 (``app/db/connection.py``).
"""

_TRANSACTIONS = 4
"""Transactions that are open at the same time, so that a proxy also uses the session of the first
connection if other idle sessions come before it."""

_VERSION = "SELECT current_setting('server_version_num')::int / 10000 AS major"

# Each returns the session that executed it, and a truth value. They are statements of psycopg.
_WHO = "SELECT pg_backend_pid(), true"

_LOCK = "SELECT pg_backend_pid(), pg_try_advisory_lock(%(class)s, %(id)s)"

_UNLOCK = "SELECT pg_backend_pid(), pg_advisory_unlock(%(class)s, %(id)s)"


def dsn(context: Context) -> str:
    """Return the address of PostgreSQL, including its password."""
    return context.settings.database_url.get_secret_value()


@check(
    "database.reachable",
    "PostgreSQL answers, and is new enough",
    symptom="Every command stops with `PostgreSQL cannot be used`.",
    why="PostgreSQL stores the runs, the workers and the annotations. Nothing works without it.",
    needs=("config.valid",),
)
async def reachable(context: Context) -> Finding:
    """Connect and read the version. Errors are explained as in other commands."""
    from sqlalchemy import text
    from sqlalchemy.exc import DBAPIError

    from app.core.postgres.refusals import explain
    from app.db import address

    at = address.where(dsn(context))
    started = time.perf_counter()
    try:
        async with asyncio.timeout(context.answer_timeout):
            found = (await context.rows(text(_VERSION)))[0]
    except TimeoutError:
        return by_time(
            failed(
                f"PostgreSQL does not answer at {at}",
                required="a running PostgreSQL at the address in DATABASE_URL, and no firewall that"
                " drops the connection",
                found=f"no answer within {context.answer_timeout:g} s",
                remedy=EDIT_SETTINGS,
            )
        )
    except DBAPIError as error:
        if (known := explain(error, dsn(context))) is None:
            raise
        refusal = _refused(context, known)
        return by_time(refusal) if is_timeout(error) else refusal
    if found.major < MIN_VERSION:
        return failed(
            f"PostgreSQL {found.major} is too old",
            required=f"PostgreSQL {MIN_VERSION} or later",
            found=f"PostgreSQL {found.major}",
            remedy="sudo apt-get install postgresql",
        )
    took = time.perf_counter() - started
    return ok(f"PostgreSQL {found.major} at {at} answers in {took * 1000:.0f} ms")


def _refused(context: Context, error: UserError) -> Finding:
    from dataclasses import replace

    from app.core.postgres.refusals import Refused

    found = refused(error)
    if isinstance(error, Refused):
        statement = psql(dsn(context), error.statement, user=error.who or "postgres")
        return replace(found, remedy=statement)
    return found


async def _migrate(context: Context) -> str | None:
    from app.core.postgres.migration import upgrade

    return f"migrated the database to version {await upgrade(context.database())}"


@check(
    "database.migrated",
    "the database has the tables of this version",
    symptom="The worker or the API does not start: `the database is not migrated`.",
    why="The API and the workers start only with the tables of their own version.",
    needs=("database.reachable",),
    remedy=MIGRATE,
    fix=_migrate,
)
async def migrated(context: Context) -> Finding:
    """Do the same check as the API and the workers do at their start."""
    from app.core.postgres.schema import check_schema

    try:
        await check_schema(context.database())
    except UserError as error:
        return _refused(context, error)
    return ok("the database has the tables of this version")


@check(
    "database.encoding",
    "the database stores text in UTF-8",
    symptom="An answer is unknown, and the reason says that a character has no equivalent.",
    why="Names of diseases and authors contain characters that other encodings lack. Answers with"
    " such names cannot be stored.",
    needs=("database.reachable",),
)
async def encoding(context: Context) -> Finding:
    """Read the encoding of the database, which cannot be changed after its creation."""
    from sqlalchemy import text

    statement = text("SELECT current_setting('server_encoding') AS encoding")
    found = (await context.rows(statement))[0].encoding
    if found == "UTF8":
        return ok("the encoding of the database is UTF8")
    return failed(
        f"the encoding of the database is {found}",
        required="UTF8",
        found=found,
        remedy=(
            back_up("utf8.dump"),
            "${EDITOR:-vi} .env  # DATABASE_URL: a database that does not exist yet",
            restore("utf8.dump"),
        ),
    )


@check(
    "database.session-locks",
    "a session lock lasts as long as its connection",
    symptom="Living workers lose their runs: the event `lost` is repeated until the run fails.",
    why="A worker counts as alive while its session holds a lock. Behind a proxy that shares"
    " sessions, such as PgBouncer with pool_mode=transaction, living workers look dead, so other"
    " workers take over their runs.",
    needs=("database.reachable",),
    remedy="${EDITOR:-vi} .env  # DATABASE_URL: PostgreSQL itself, or a pool with"
    " pool_mode=session",
)
async def session_locks(context: Context) -> Finding:
    """Take a lock, begin transactions on other connections, and check that the lock remains.

    A proxy that assigns sessions per transaction either serves another connection with the session
    of the first one, or assigns the first one another session afterwards.
    """
    keys = {"class": LOCK_CLASS, "id": secrets.randbelow(2**31)}
    async with AsyncExitStack() as stack:
        first = await _connect(context)
        stack.push_async_callback(first.close)
        before = await _session(first, _LOCK, keys)
        # a proxy gives its clients process ids of its own
        direct = first.info.backend_pid == before[0]
        for _ in range(1 if direct else _TRANSACTIONS):
            other = await _connect(context)
            stack.push_async_callback(other.close)
            await other.execute("BEGIN")
            if (await _session(other, _WHO))[0] == before[0]:
                await other.execute(_UNLOCK, keys)
                return _shared(f"session {before[0]} answered on two connections")
        after = await _session(first, _UNLOCK, keys)
        if after != (before[0], True):
            return _shared(f"sessions {before[0]} and {after[0]} answered on one connection")
        return ok("every connection has a session of its own")


# the check is about connections and their sessions, which SQLAlchemy's pool would hide
async def _connect(context: Context) -> "AsyncConnection[Any]":
    from app.db.connection import connect

    session = "kidney-genetics doctor"
    return await connect(dsn(context), session=session, autocommit=True, prepare_threshold=None)


async def _session(
    connection: "AsyncConnection[Any]", statement: LiteralString, keys: dict[str, int] | None = None
) -> tuple[int, bool]:
    """Return the process id of the session that executed a statement, and the value."""
    cursor = await connection.execute(statement, keys)
    pid, value = (await cursor.fetchall())[0]
    return pid, value


def _shared(found: str) -> Finding:
    return failed(
        "DATABASE_URL leads to a proxy that shares sessions",
        required="a session for each connection",
        found=found,
    )


@check(
    "database.idle-in-transaction",
    "no session is idle in a transaction",
    symptom="The commits of a run hang, or a migration hangs.",
    why="An open transaction keeps its locks, so the commits of runs and migrations wait for it."
    " Meanwhile PostgreSQL cannot remove old rows.",
    needs=("database.reachable",),
)
async def idle_in_transaction(context: Context) -> Finding:
    """Find idle transactions in this database, and count the sessions that they block."""
    from sqlalchemy import text

    statement = text(
        """
        SELECT pid, coalesce(nullif(application_name, ''), '?') AS program,
          extract(epoch FROM clock_timestamp() - state_change)::float8 AS idle,
          (SELECT count(*) FROM pg_stat_activity other
           WHERE session.pid = ANY(pg_blocking_pids(other.pid))) AS blocked
        FROM pg_stat_activity session
        WHERE datname = current_database() AND state LIKE 'idle in transaction%'
          AND state_change < clock_timestamp() - make_interval(secs => :idle)
        ORDER BY blocked DESC, idle DESC LIMIT 20
        """
    )
    found = await context.rows(statement, idle=MAX_IDLE_SECONDS)
    if not found:
        return ok(f"no transaction has been idle for more than {MAX_IDLE_SECONDS} s")
    worst = found[0]
    report = failed if worst.blocked else warning
    blocks = f", and blocks {worst.blocked} other sessions" if worst.blocked else ""
    return report(
        f"{worst.program} (pid {worst.pid}) has been idle in a transaction for"
        f" {time_span(worst.idle)}{blocks}",
        required=f"no transaction that is idle for more than {MAX_IDLE_SECONDS} s",
        found=", ".join(
            f"{session.program} (pid {session.pid}) {time_span(session.idle)}" for session in found
        ),
        remedy=psql(
            dsn(context),
            f"SELECT pg_terminate_backend(pid) FROM unnest(ARRAY{[e.pid for e in found]}) AS pid",
        ),
    )


CHECKS: tuple[Check, ...] = (reachable, migrated, encoding, session_locks, idle_in_transaction)
