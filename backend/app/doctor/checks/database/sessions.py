"""Whether sessions of PostgreSQL are what a worker's life hangs on."""

import secrets

from app.doctor.check import Finding, check, failed, ok, warning
from app.doctor.checks.commands import psql
from app.doctor.checks.postgres import connect, rows
from app.doctor.checks.words import span
from app.doctor.context import Context

LOCK_CLASS = 5_209_019
"""The first half of the advisory locks that are tried here; nobody else takes these."""

IDLE = 60
"""Seconds. Our own sessions are ended after 30 (``app/db/engine.py``)."""

_PID = "SELECT pg_backend_pid() AS pid"


@check(
    "database.session-locks",
    "a session lock lasts as long as its connection",
    symptom="Living workers lose their runs: `lost` again and again, until the run fails.",
    why="A worker lives as long as its lock. Behind a proxy that pools transactions, like PgBouncer"
    " with pool_mode=transaction, living workers look dead: their runs are taken from them again"
    " and again, until they fail.",
    needs=("database.reachable",),
    remedy="${EDITOR:-vi} .env  # DATABASE_URL: PostgreSQL itself, or a pool with"
    " pool_mode=session",
)
async def session_locks(context: Context) -> Finding:
    """Take a lock, let another connection begin a transaction, and look for the lock again.

    A proxy that gives a server connection to whoever has a transaction gives the first one's to
    the second; or, where it takes turns, the first gets another one afterwards.
    """
    key = (LOCK_CLASS, secrets.randbelow(2**31))
    required = "every connection keeps its own session"
    summary = "DATABASE_URL leads through a proxy that shares sessions"
    unlock = f"SELECT pg_advisory_unlock({key[0]}, {key[1]})"
    first = await connect(context)
    second = None
    try:
        cursor = await first.execute(f"{_PID}, pg_try_advisory_lock({key[0]}, {key[1]})".encode())
        mine = (await cursor.fetchall())[0].pid
        second = await connect(context)
        await second.execute("BEGIN")
        theirs = (await (await second.execute(_PID)).fetchall())[0].pid
        if theirs == mine:
            await second.execute(unlock.encode())
            return failed(
                summary,
                required=required,
                found=f"two connections answered from one session, {mine}",
            )
        held = (
            await (
                await first.execute(
                    f"{_PID}, EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory'"
                    f" AND classid = {key[0]} AND objid = {key[1]} AND objsubid = 2 AND granted"
                    " AND pid = pg_backend_pid()) AS held".encode()
                )
            ).fetchall()
        )[0]
        await first.execute(unlock.encode())
        if held.pid != mine or not held.held:
            return failed(
                summary,
                required=required,
                found=f"one connection answered from sessions {mine} and {held.pid}",
            )
        return ok("its connections are sessions of their own")
    finally:
        if second is not None:
            await second.close()
        await first.close()


@check(
    "database.idle-in-transaction",
    "no session sits on an open transaction",
    symptom="A run's commits hang, or `just migrate` does.",
    why="An idle transaction holds row locks and keeps PostgreSQL from cleaning up: commits of runs"
    " wait for it, and so does a migration.",
    needs=("database.reachable",),
)
async def idle_in_transaction(context: Context) -> Finding:
    """Look at this database's sessions; others' are seen by who may read statistics."""
    found = await rows(
        context,
        "SELECT pid, usename AS name, coalesce(nullif(application_name, ''), '?') AS program,"
        " extract(epoch FROM clock_timestamp() - state_change)::float8 AS idle,"
        " (SELECT count(*) FROM pg_stat_activity b WHERE a.pid = ANY(pg_blocking_pids(b.pid)))"
        "  AS blocked"
        " FROM pg_stat_activity a WHERE datname = current_database()"
        " AND state LIKE 'idle in transaction%%' AND state_change <"
        "  clock_timestamp() - make_interval(secs => %(idle)s)"
        " ORDER BY blocked DESC, idle DESC LIMIT 20",
        {"idle": IDLE},
    )
    if not found:
        return ok(f"none for more than {IDLE} s")
    worst = found[0]
    say = failed if worst.blocked else warning
    return say(
        f"{worst.program} (pid {worst.pid}) has done nothing in its transaction for"
        f" {span(worst.idle)}" + (f" and blocks {worst.blocked} others" if worst.blocked else ""),
        required=f"transactions that do not stay idle for {IDLE} s",
        found=", ".join(f"{each.program} (pid {each.pid}) {span(each.idle)}" for each in found),
        remedy=psql(
            context,
            f"SELECT pg_terminate_backend(pid) FROM unnest(ARRAY{[e.pid for e in found]}) AS pid",
        ),
    )


CHECKS = (session_locks, idle_in_transaction)
