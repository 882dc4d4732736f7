"""Whether Redis answers, and is set up to keep what it is given."""

import time
from typing import TYPE_CHECKING, Any

from app.doctor.check import Finding, by_time, check, failed, is_timeout, ok, skipped, warning
from app.doctor.checks.commands import redis_cli
from app.doctor.context import Context, Unavailable

if TYPE_CHECKING:
    from redis.exceptions import RedisError

SLOW = 0.03
"""Seconds. Each upstream request asks Redis twice, one after the other, for its place in the
budget: at Ensembl's 15 a second there are 0.067 s for both."""

OLDEST = (5, 0)
"""The request budgets are kept by a script that writes after it has asked for the time, which
Redis allows by default since 5.0 (https://redis.io/docs/latest/develop/programmability/eval-intro/,
"Script replication")."""

_PINGS = 5

_CANNOT_WRITE = "MISCONF"
"""What even a PING is answered while Redis cannot write its files; that is another check's."""


def where(context: Context) -> str:
    """Return where Redis is, without credentials."""
    from app.core.redis.address import address

    return address(context.settings.redis_url.get_secret_value())


async def info(context: Context) -> dict[str, Any]:
    """Return what Redis tells of itself.

    Raises:
        Unavailable: the user may not ask.
    """
    from redis.exceptions import NoPermissionError

    try:
        found: dict[str, Any] = await context.redis().info()
    except NoPermissionError:
        raise Unavailable("the user of REDIS_URL may not use INFO") from None
    return found


@check(
    "redis.reachable",
    "Redis answers",
    symptom="The worker does not start: `Redis cannot be used`, and connection refused or"
    " `NOAUTH`.",
    why="Bells and request budgets are in Redis: without it no worker picks anything up.",
    needs=("config.valid",),
)
async def reachable(context: Context) -> Finding:
    """Ask a few times; the best counts, as this process is busy itself."""
    from redis.exceptions import RedisError

    if not context.settings.use_arq_worker:
        return skipped("not used: USE_ARQ_WORKER is False, the API executes runs itself")
    best = float("inf")
    try:
        for _ in range(_PINGS):
            started = time.perf_counter()
            await context.redis().ping()
            best = min(best, time.perf_counter() - started)
    except (RedisError, OSError) as error:
        if _CANNOT_WRITE not in str(error):
            found = _unreachable(context, error)
            return by_time(found) if is_timeout(error) else found
    if best > SLOW and best != float("inf"):
        slow = warning(
            f"Redis at {where(context)} is slow: {best * 1000:.0f} ms for an answer",
            required=f"{SLOW * 1000:.0f} ms, so that upstream services are used at their full rate",
            found=f"{best * 1000:.0f} ms at best, of {_PINGS} tries",
            remedy=redis_cli(context, "--latency"),
        )
        return by_time(slow)
    took = "" if best == float("inf") else f" in {best * 1000:.1f} ms"
    return ok(f"{where(context)} answers{took}")


def _unreachable(context: Context, error: "RedisError | OSError") -> Finding:
    from redis.exceptions import AuthenticationError, BusyLoadingError, NoPermissionError

    said = str(error).splitlines()[0] if str(error) else type(error).__name__
    at = where(context)
    if isinstance(error, BusyLoadingError):
        return failed(
            f"Redis at {at} is still reading its data",
            required="a Redis that has started",
            found=said,
            remedy=redis_cli(context, "INFO", "persistence"),
        )
    if isinstance(error, AuthenticationError | NoPermissionError):
        return failed(
            f"Redis at {at} refuses the user or the password in REDIS_URL",
            required="REDIS_URL=redis://user:password@host:6379/0, its parts percent-encoded",
            found=said,
            remedy="${EDITOR:-vi} .env",
        )
    local = at.startswith(("localhost", "127.", "::1"))
    return failed(
        f"Redis cannot be reached at {at}",
        required="a running Redis where REDIS_URL says",
        found=said,
        remedy="just hybrid-up" if local else "${EDITOR:-vi} .env",
    )


@check(
    "redis.version",
    "Redis is new enough",
    symptom="No upstream request is sent: Redis refuses a script.",
    why="The script that keeps the request budgets is refused by an older Redis: no upstream"
    " request can be sent.",
    needs=("redis.reachable",),
    remedy="sudo apt-get install redis-server",
)
async def version(context: Context) -> Finding:
    """Compare the version that Redis names; Valkey names the Redis that it is compatible with."""
    found = str((await info(context))["redis_version"])
    least = ".".join(map(str, OLDEST))
    if tuple(int(part) for part in found.split(".")[:2]) < OLDEST:
        return failed(f"Redis {found} is too old", required=f"{least} or later", found=found)
    return ok(f"version {found}")


async def set_noeviction(context: Context) -> str | None:
    """Let Redis refuse what it has no room for, instead of dropping something else."""
    return await _set(context, "maxmemory-policy", "noeviction")


async def set_appendonly(context: Context) -> str | None:
    """Let Redis write down what it is given."""
    return await _set(context, "appendonly", "yes")


async def _set(context: Context, name: str, value: str) -> str | None:
    redis = context.redis()
    before = (await redis.config_get(name))[name]
    if before == value:
        return None
    await redis.config_set(name, value)
    return (
        f"set {name} to {value} (it was {before}) in the running Redis;"
        f" for its next start, put `{name} {value}` into redis.conf"
    )


@check(
    "redis.maxmemory-policy",
    "Redis evicts nothing",
    symptom="Jobs of clients disappear, or upstream services answer 429 often.",
    why="With any other policy Redis, when it is full, silently drops bells, jobs and request"
    " budgets: an upstream service is then asked too often, and jobs of clients are lost.",
    needs=("redis.reachable",),
    remedy="just doctor --fix --only redis.maxmemory-policy",
    fix=set_noeviction,
)
async def policy(context: Context) -> Finding:
    """Look at the policy, even where there is no limit yet: it springs when one is set."""
    about = await info(context)
    found = str(about.get("maxmemory_policy"))
    if found == "noeviction":
        return ok("maxmemory-policy noeviction")
    limit = "" if about.get("maxmemory") else " (nothing is evicted yet, as maxmemory is 0)"
    return failed(
        f"maxmemory-policy is {found}{limit}",
        required="`maxmemory-policy noeviction` in redis.conf",
        found=found,
    )


@check(
    "redis.persistence",
    "Redis writes down what it is given",
    symptom="Jobs of clients are gone after a crash of Redis, or it refuses writes: `MISCONF`.",
    why="After a crash of a Redis without append-only file, jobs that clients enqueued themselves"
    " are lost and request budgets start anew; bells are rung again. A Redis that cannot write its"
    " files refuses everything.",
    needs=("redis.reachable",),
    fix=set_appendonly,
)
async def persistence(context: Context) -> Finding:
    """Look at the append-only file and at the last writes of all files."""
    about = await info(context)
    broken = [
        name
        for name in ("aof_last_write_status", "rdb_last_bgsave_status", "aof_last_bgrewrite_status")
        if about.get(name, "ok") != "ok"
    ]
    if broken:
        again = "BGREWRITEAOF" if broken == ["aof_last_bgrewrite_status"] else "BGSAVE"
        folder = await _folder(context)
        return failed(
            f"Redis could not write its files{f' in {folder}' if folder else ''}",
            required="room on the disk, and a folder that Redis may write to",
            found=", ".join(f"{name} {about[name]}" for name in broken),
            remedy=redis_cli(context, again),
        )
    if not about.get("aof_enabled"):
        return warning(
            "the append-only file is off",
            required="`appendonly yes` in redis.conf",
            found="appendonly no",
            remedy="just doctor --fix --only redis.persistence",
        )
    return ok("append-only file on, last write fine")


async def _folder(context: Context) -> str | None:
    from redis.exceptions import ResponseError

    try:
        return str((await context.redis().config_get("dir"))["dir"])
    except ResponseError:
        return None


@check(
    "redis.primary",
    "Redis accepts writes",
    symptom="Nothing is picked up: `READONLY You can't write against a read only replica`.",
    why="A replica refuses every write: no bell is rung and no upstream request can be counted.",
    needs=("redis.reachable",),
)
async def primary(context: Context) -> Finding:
    """Look at the role."""
    about = await info(context)
    if about.get("role") == "master":
        return ok("a primary")
    target = f"{about.get('master_host')}:{about.get('master_port')}"
    return failed(
        f"Redis at {where(context)} is a replica of {target}",
        required="REDIS_URL names the primary",
        found=f"role {about.get('role')}",
        remedy=f"${{EDITOR:-vi}} .env  # REDIS_URL=redis://...@{target}/0",
    )


CHECKS = (reachable, version, policy, persistence, primary)
