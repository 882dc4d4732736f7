"""Commands to print: they can be pasted, and hold no password."""

import shlex
import socket

from app.doctor.context import Context

WORKER_UNIT = "kidney-genetics-worker"
API_UNIT = "kidney-genetics-api"


def redis_cli(context: Context, *words: str) -> str:
    """Return the call of `redis-cli` for the configured Redis; it asks for a password if need be.

    Args:
        context: whose settings say where Redis is.
        words: Redis' command.
    """
    from app.core.redis.address import parse

    known = parse(context.settings.redis_url.get_secret_value())
    options = ["-n", str(known.database)] if known.database else []
    if known.tls:
        options.append("--tls")
    if known.username:
        options += ["--user", known.username]
    if known.password:
        options.append("--askpass")
    rest = shlex.join([*options, *words])
    if known.path is not None:
        return f"redis-cli {shlex.join(['-s', known.path])} {rest}"
    host, port = known.hosts[0]
    at = shlex.join(["-h", host, "-p", str(port)])
    if known.service is not None:
        # the first line of a sentinel's answer is the host of the primary, the second its port
        ask = f"redis-cli {at} SENTINEL get-master-addr-by-name {shlex.quote(known.service)}"
        at = f'-h "$({ask} | sed -n 1p)" -p "$({ask} | sed -n 2p)"'
    return f"redis-cli {at} {rest}"


def psql(context: Context, statement: str, *, user: str | None = None) -> str:
    """Return the call of `psql` for the configured PostgreSQL; it asks for a password if need be.

    Args:
        context: whose settings say where PostgreSQL is.
        statement: what is to be done there.
        user: in place of the configured one.
    """
    from psycopg.conninfo import make_conninfo

    from app.db import address
    from app.doctor.checks.postgres import dsn

    given = address.parse(dsn(context))
    given.pop("password", None)
    named = {"-h": "host", "-p": "port", "-U": "user", "-d": "dbname"}
    if user is not None:
        given["user"] = user
    if given.keys() - named.values():
        # options, a certificate, which of several servers
        return shlex.join(["psql", make_conninfo("", **given), "-c", statement])
    given.setdefault("dbname", "postgres")
    call = ["psql"]
    for option, name in named.items():
        call += [option, given[name]] if name in given else []
    return shlex.join([*call, "-c", statement])


def start_worker(context: Context) -> str:
    """Return what starts an arq worker on this host."""
    if (context.units / f"{WORKER_UNIT}.service").exists():
        return f"sudo systemctl start {WORKER_UNIT}"
    return "just worker"


def start_api(context: Context) -> str:
    """Return what starts the API on this host."""
    if (context.units / f"{API_UNIT}.service").exists():
        return f"sudo systemctl start {API_UNIT}"
    return "just api"


def restart(context: Context, kind: str, processes: list[tuple[str, int]]) -> str:
    """Return what restarts workers; a clean stop puts their runs back into the queue.

    Args:
        context: tells whether units are installed here.
        kind: `arq` or `api`, as in the table of workers.
        processes: host and pid of each.
    """
    unit = WORKER_UNIT if kind == "arq" else API_UNIT
    here = socket.gethostname()
    lines = []
    if pids := [str(pid) for host, pid in processes if host == here]:
        if (context.units / f"{unit}.service").exists():
            lines.append(f"sudo systemctl restart '{unit}*'")
        else:
            lines += [f"kill {' '.join(pids)}", "just worker" if kind == "arq" else "just api"]
    lines += [
        f"ssh {shlex.quote(host)} sudo systemctl restart \"'{unit}*'\""
        for host in sorted({host for host, _ in processes if host != here})
    ]
    return "\n".join(lines)
