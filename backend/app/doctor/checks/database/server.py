"""Whether PostgreSQL answers, has our tables, and the same time as we."""

import asyncio
import re
import shutil
import time
from pathlib import Path

from app.core.errors import UserError
from app.doctor.check import Finding, by_time, check, failed, is_timeout, ok
from app.doctor.checks.commands import psql
from app.doctor.checks.postgres import connection, dsn, row, where
from app.doctor.checks.redis.room import judge_clock
from app.doctor.checks.words import size
from app.doctor.context import Context
from app.doctor.recipes import recipe

OLDEST = 12
"""Recovery's queries say ``AS MATERIALIZED`` (PostgreSQL 12, release notes)."""

SILENCE = 1.5
"""Seconds without an answer to a connection; the rest of a check's time is for saying so."""

SPARE_ROOM = 0.05
"""A share of the disk."""

PLENTY = 5_000_000_000
"""Bytes; with so many left, a small share of a large disk is no worry."""

MIGRATIONS = Path(__file__).resolve().parents[3] / "db" / "migrations" / "versions"

_REVISION = re.compile(
    r"""^(down_revision|revision)\b[^=]*=\s*(?:["'](\w+)["']|None)""", re.MULTILINE
)


@check(
    "database.reachable",
    "PostgreSQL answers",
    symptom="Every command stops with `PostgreSQL cannot be used`.",
    why="Runs, workers and annotations are in PostgreSQL: nothing works without it.",
    needs=("config.valid",),
)
async def reachable(context: Context) -> Finding:
    """Connect and ask something; what is wrong is said as every other command says it."""
    import psycopg

    try:
        async with asyncio.timeout(context.within(SILENCE)), connection(context) as borrowed:
            started = time.perf_counter()
            await borrowed.execute("SELECT 1")
            took = time.perf_counter() - started
            host = f"{borrowed.info.host}:{borrowed.info.port}/{borrowed.info.dbname}"
    except TimeoutError:
        silence = f"none in {context.within(SILENCE):g} s"
        silent = failed(
            f"PostgreSQL does not answer at {where(context)}",
            required="an answer where DATABASE_URL says",
            found=f"{silence}; a firewall that swallows connections looks like this",
            remedy="${EDITOR:-vi} .env",
        )
        return by_time(silent)
    except psycopg.Error as error:
        found = _refused(context, error)
        return by_time(found) if is_timeout(error) else found
    return ok(f"{host} answers in {took * 1000:.1f} ms")


def _refused(context: Context, error: Exception, schema: str | None = None) -> Finding:
    from app.core.postgres.refusals import explain

    found = explain(error, dsn(context), schema)
    if found is None:
        raise error
    return _as_finding(context, found)


def _as_finding(context: Context, found: UserError) -> Finding:
    """Return a finding whose remedy can be pasted into a shell."""
    from app.core.postgres.refusals import Refused

    if isinstance(found, Refused):
        remedy = psql(context, found.statement, user=found.who or "postgres")
    elif commands := [
        *re.findall(r"`([a-z][^`]*)`", found.remedy),
        *map(recipe, found.steps),
    ]:
        remedy = " && ".join(commands[:2])
    else:
        remedy = "${EDITOR:-vi} .env"
    return failed(found.found, required=found.allowed, found=found.found, remedy=remedy)


@check(
    "database.version",
    "PostgreSQL is new enough",
    symptom="The worker stops with a syntax error in SQL.",
    why="The queries by which lost runs are found are refused by an older server.",
    needs=("database.reachable",),
    remedy="sudo apt-get install postgresql",
)
async def version(context: Context) -> Finding:
    """Compare the version."""
    found = await row(
        context,
        "SELECT current_setting('server_version') AS name,"
        " current_setting('server_version_num')::int / 10000 AS major",
    )
    if found.major < OLDEST:
        return failed(
            f"PostgreSQL {found.name} is too old", required=f"{OLDEST} or later", found=found.name
        )
    return ok(f"version {found.name}")


async def migrate(context: Context) -> str | None:
    """Bring the tables up to date, as `just migrate` does."""
    from app.core.postgres.migration import upgrade
    from app.db.engine import create_engine

    # a migration may take longer than a check's query
    db = create_engine(
        context.settings.database_url.get_secret_value(),
        session="kidney-genetics doctor",
        pool_size=2,
    )
    try:
        return f"the database is at version {await upgrade(db)}"
    finally:
        await db.dispose()


@check(
    "database.migrated",
    "the tables are those of this version",
    symptom="The worker or the API does not start: `the database is not migrated`.",
    why="The API and the workers refuse to start on other tables than their own.",
    needs=("database.reachable",),
    remedy="just migrate",
    fix=migrate,
)
async def migrated(context: Context) -> Finding:
    """Compare the version in the database with the newest migration."""
    import psycopg

    from app.core.postgres.place import PLACE, misplaced

    versions = newest()
    place = await row(context, PLACE)
    found = None
    if place.here:
        try:
            found = (
                await row(context, "SELECT max(version_num) AS version FROM alembic_version")
            ).version
        except psycopg.errors.InsufficientPrivilege as error:
            return _refused(context, error, place.schema)
    elif (known := misplaced(place, dsn(context))) is not None:
        return _as_finding(context, known)
    if found == versions[0]:
        return ok(f"at version {found}, in schema {place.schema}")
    if found is not None and found not in versions:
        return failed(
            f"the tables were made by a newer version of this project ({found})",
            required=versions[0],
            found=str(found),
            remedy="git pull && make migrate",
        )
    return failed(
        f"the tables are not up to date: at {found or 'no version at all'}",
        required=versions[0],
        found=str(found or "no tables"),
    )


def newest() -> list[str]:
    """Return the versions of the tables, the newest first, without the time Alembic takes to load.

    Raises:
        RuntimeError: the migrations are not one line.
    """
    before: dict[str, str] = {}
    for file in MIGRATIONS.glob("*.py"):
        said = dict(_REVISION.findall(file.read_text(encoding="utf-8")))
        before[said["revision"]] = said.get("down_revision", "")
    heads = before.keys() - set(before.values())
    if len(heads) != 1:
        raise RuntimeError(f"{len(heads)} newest migrations in {MIGRATIONS}")
    line = [heads.pop()]
    while parent := before.get(line[-1]):
        line.append(parent)
    return line


@check(
    "database.clock",
    "PostgreSQL and this machine have the same time",
    symptom="Runs that wait until some time are taken up late.",
    why="Heartbeats go by PostgreSQL's clock, bells by the worker's: where they differ, runs are"
    " late.",
    needs=("database.reachable",),
)
async def clock(context: Context) -> Finding:
    """Ask for the time, and take the middle of the round trip for the moment of the answer."""
    async with connection(context) as borrowed:
        before = time.time()
        cursor = await borrowed.execute(
            "SELECT extract(epoch FROM clock_timestamp())::float8 AS at"
        )
        after = time.time()
        at = (await cursor.fetchall())[0].at
    ahead = at - (before + after) / 2
    return judge_clock("PostgreSQL", ahead, (after - before) / 2, "bells carry its times")


@check(
    "database.disk",
    "PostgreSQL has room on its disk",
    symptom="All runs stand still, and PostgreSQL's log says `No space left on device`.",
    why="On a full disk PostgreSQL stops: no progress is committed, and every run waits.",
    needs=("database.reachable",),
)
async def disk(context: Context) -> Finding:
    """Look at the data folder's disk, if the server is on this machine and says where it is."""
    found = await row(
        context,
        "SELECT pg_database_size(current_database()) AS size, CASE WHEN"
        " (inet_server_addr() IS NULL OR inet_server_addr() = inet_client_addr())"
        " AND pg_has_role(current_user, 'pg_read_all_settings', 'member')"
        " THEN current_setting('data_directory') END AS folder",
    )
    data = f"the database has {size(found.size)}"
    if found.folder is None:
        return ok(f"{data}; the free room of its disk cannot be seen from here")
    try:
        usage = shutil.disk_usage(found.folder)
    except OSError:
        return ok(f"{data}; the free room of {found.folder} cannot be seen from here")
    share = usage.free / usage.total
    if usage.free >= PLENTY or share >= SPARE_ROOM:
        return ok(f"{data}; {size(usage.free)} free")
    return failed(
        f"only {size(usage.free)} are free on PostgreSQL's disk",
        required=f"{SPARE_ROOM:.0%} of {size(usage.total)}, or {size(PLENTY)}",
        found=f"{share:.0%} in {found.folder}; {data}",
        remedy=psql(
            context,
            "SELECT relname, pg_size_pretty(pg_total_relation_size(oid)) FROM"
            " pg_class WHERE relkind = 'r' ORDER BY pg_total_relation_size(oid) DESC"
            " LIMIT 10",
        ),
    )


CHECKS = (reachable, version, migrated, clock, disk)
