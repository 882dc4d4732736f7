"""The check that compares the connections of all processes with PostgreSQL's limits."""

from app.core.checks import Check, Context, Finding, check, failed, ok, warning
from app.core.postgres.checks import dsn
from app.core.postgres.psql import psql
from app.core.workers import processes

WORKER_CONNECTIONS = 4
"""Connections of a worker in addition to one per attempt and one per action of schedules: three in
its pool, and its session (``app/core/workers/engine.py``, ``app/core/workers/liveness.py``)."""

API_CONNECTIONS = 17
"""Connections of an API (``app/main.py``, ``app/api/probes.py``), and a few for commands."""

NOTIFIER_CONNECTIONS = 6
"""Connections of a process that has channels (``app/core/notify/notifier.py``), with one for the
ping (``app/core/notify/ping.py``)."""

MAX_USED_SHARE = 0.8
"""The share of the connections that this project may need. The rest is for other programs."""

NO_LIMIT = -1
"""PostgreSQL's catalogs store this value if there is no connection limit."""

_LIMITS = """
    SELECT current_setting('max_connections')::int
        - current_setting('superuser_reserved_connections')::int
        -- without the role pg_read_all_stats, the type of other sessions is null
        - (SELECT count(*) FROM pg_stat_activity
           WHERE coalesce(backend_type, 'client backend') = 'client backend'
           AND datid IS NOT NULL AND usesysid IS NOT NULL
           AND application_name NOT LIKE 'kidney-genetics%') AS server,
      (SELECT datconnlimit FROM pg_database WHERE datname = current_database()) AS database,
      (SELECT rolconnlimit FROM pg_roles WHERE rolname = current_user) AS role,
      (SELECT rolname FROM pg_roles WHERE oid = 10) AS superuser,
      current_database() AS name, current_user AS me
"""


@check(
    "database.connections",
    "PostgreSQL has enough connections for all workers",
    symptom="The log says `too many clients already` or `too many connections`.",
    why="A worker that gets no connection can neither claim nor commit: its attempts return their"
    " runs to the queue and start over.",
    needs=("database.migrated",),
)
async def connections(context: Context) -> Finding:
    """Compare the connections that the workers and the API may open with PostgreSQL's limits."""
    from sqlalchemy import text

    from app.core.notify.channels.settings import ChannelSettings
    from app.core.postgres.refusals import identifier
    from app.core.schedules.actions import ACTIONS, REFRESH

    lift = "CONNECTION LIMIT -1"
    limits = (await context.rows(text(_LIMITS)))[0]
    slots = [
        worker.slots or context.settings.arq_max_jobs
        for worker in await processes.sessions(context)
    ]
    beside, others = WORKER_CONNECTIONS + len({*ACTIONS} - {REFRESH}), API_CONNECTIONS
    if isinstance(context.settings, ChannelSettings) and context.settings.channel_names:
        beside, others = beside + NOTIFIER_CONNECTIONS, others + NOTIFIER_CONNECTIONS
    need = sum(attempts + beside for attempts in slots) + others
    server = f"SYSTEM SET max_connections = {2 * (limits.server + need)}"
    have, whose, change = min(
        [
            (limits.server, "max_connections", server),
            *(
                (limit, f"the limit of {what} {name}", f"{what} {identifier(name)} {lift}")
                for limit, what, name in (
                    (limits.database, "database", limits.name),
                    (limits.role, "role", limits.me),
                )
                if limit != NO_LIMIT
            ),
        ]
    )
    if need <= MAX_USED_SHARE * have:
        return ok(f"at most {need} of {have} connections are needed")
    report = failed if need > have else warning
    return report(
        f"up to {need} connections are needed, and {whose} leaves {have}",
        required=f"at most {MAX_USED_SHARE:.0%} of the connections: {len(slots)} workers with"
        f" {sum(slots)} attempts, {beside} more for each worker, and {others} others",
        found=f"{have}",
        remedy=psql(dsn(context), f"ALTER {change}", user=limits.superuser)
        + ("\nsudo systemctl restart postgresql" if change == server else ""),
    )


CHECKS: tuple[Check, ...] = (connections,)
