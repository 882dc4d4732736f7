"""Commands to print: they can be pasted, and hold no password."""

import shlex
import socket
from typing import Any
from urllib.parse import urlsplit

from app.doctor.context import Context

WORKER_UNIT = "kidney-genetics-worker"
API_UNIT = "kidney-genetics-api"


def redis_cli(context: Context, *words: str) -> str:
    """Return the call of `redis-cli` for the configured Redis; it asks for a password if need be.

    Args:
        context: whose settings say where Redis is.
        words: Redis' command.
    """
    from app.core.redis_url import sentinels

    url = context.settings.redis_url.get_secret_value()
    known = sentinels(url)
    parts = urlsplit(url if known is None else known.url)
    if parts.scheme == "unix":
        call = ["redis-cli", "-s", parts.path]
    else:
        call = ["redis-cli", "-h", parts.hostname or "localhost", "-p", str(parts.port or 6379)]
        database = parts.path.strip("/")
        if database not in {"", "0"}:
            call += ["-n", database]
    if parts.scheme == "rediss":
        call.append("--tls")
    if parts.username:
        call += ["--user", parts.username]
    if parts.password:
        call.append("--askpass")
    command = shlex.join([*call, *words])
    if known is not None:
        # the first line of a sentinel's answer is the host of the primary, the second its port
        host, port = known.hosts[0]
        ask = ["redis-cli", "-h", host, "-p", str(port), "SENTINEL", "get-master-addr-by-name"]
        asked = shlex.join([*ask, known.service])
        command = command.replace("-h sentinel", f'-h "$({asked} | sed -n 1p)"').replace(
            "-p 6379", f'-p "$({asked} | sed -n 2p)"'
        )
    return command


def psql(context: Context, statement: str, *, user: str | None = None) -> str:
    """Return the call of `psql` for the configured PostgreSQL; it asks for a password if need be.

    Args:
        context: whose settings say where PostgreSQL is.
        statement: what is to be done there.
        user: in place of the configured one.
    """
    from psycopg.conninfo import conninfo_to_dict

    from app.doctor.checks.postgres import dsn

    found: dict[str, Any] = conninfo_to_dict(dsn(context))
    options = {"-h": found.get("host"), "-p": found.get("port"), "-U": user or found.get("user")}
    call = ["psql"]
    for option, value in options.items():
        if value:
            call += [option, str(value)]
    return shlex.join([*call, "-d", str(found.get("dbname") or "postgres"), "-c", statement])


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
