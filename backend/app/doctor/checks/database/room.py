"""Whether PostgreSQL has connections for all."""

from app.doctor.check import Finding, check, failed, ok, warning
from app.doctor.checks.commands import psql
from app.doctor.checks.postgres import row
from app.doctor.context import Context

BESIDE_ATTEMPTS = 3
"""A worker's connections besides one an attempt: two to spare in its pool, and its session
(``app/core/workers/engine.py``, ``app/core/workers/liveness.py``)."""

API = 12
"""The API's connections: 10 for requests (``app/main.py``), 2 for the probes and the metrics
(``app/api/probes.py``)."""

COMMANDS = 5
"""For commands and for the doctor."""

TIGHT = 0.8
"""A share of the connections that may be needed at most: who else connects is not known."""

_ROOM = f"""
SELECT current_setting('max_connections')::int
    - current_setting('superuser_reserved_connections')::int
    - coalesce(current_setting('reserved_connections', true)::int, 0) AS server,
  (SELECT datconnlimit FROM pg_database WHERE datname = current_database()) AS database,
  (SELECT rolconnlimit FROM pg_roles WHERE rolname = current_user) AS role,
  (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'
   AND application_name NOT LIKE 'kidney-genetics%%') AS others,
  (SELECT count(*) FROM worker_liveness WHERE holds_lock) AS workers,
  (SELECT coalesce(sum(coalesce(slots, %(slots)s) + {BESIDE_ATTEMPTS}), 0) FROM workers
   JOIN worker_liveness USING (id) WHERE holds_lock)::int AS theirs,
  (SELECT rolname FROM pg_roles WHERE oid = 10) AS superuser,
  current_database() AS name, current_user AS me
"""


@check(
    "database.connections",
    "PostgreSQL has connections for all workers",
    symptom="The log says `too many clients already` or `too many connections`.",
    why="A worker that gets no connection cannot claim or commit: its attempts go back to the queue"
    " and start over.",
    needs=("database.migrated",),
)
async def connections(context: Context) -> Finding:
    """Add up what the living workers and the API may open at most, and compare it with the limits.

    A worker of a version that did not tell its slots is taken to have this host's ARQ_MAX_JOBS.
    """
    found = await row(context, _ROOM, {"slots": context.settings.arq_max_jobs})
    need = found.theirs + API + COMMANDS
    made_up_of = f"{found.theirs} of {found.workers} workers + {API} of the API + {COMMANDS}"
    server = f"SYSTEM SET max_connections = {max(100, 2 * (need + found.others))}"
    # a limit of -1 is none
    limits = [
        (room, whose, change)
        for room, whose, change in (
            (found.server - found.others, "max_connections", server),
            (
                found.database,
                f"the limit of database {found.name}",
                f'DATABASE "{found.name}" CONNECTION LIMIT -1',
            ),
            (found.role, f"the limit of role {found.me}", f'ROLE "{found.me}" CONNECTION LIMIT -1'),
        )
        if room != -1
    ]
    have, whose, change = min(limits)
    if need <= TIGHT * have:
        return ok(f"at most {need} of {have} will be used ({made_up_of})")
    restart = "\nsudo systemctl restart postgresql" if change == server else ""
    say = failed if need > have else warning
    return say(
        f"{need} connections may be needed, and {whose} leaves {have}",
        required=f"{need} = {made_up_of}, at most {TIGHT:.0%} of what there is",
        found=f"{have}; {found.others} are used by others",
        remedy=psql(context, f"ALTER {change}", user=found.superuser) + restart,
    )


CHECKS = (connections,)
