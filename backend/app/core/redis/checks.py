"""The checks of Redis: it can be used, keeps its data, and belongs to this installation only."""

import time
from ipaddress import ip_address

from app.core.checks import (
    Check,
    Context,
    Finding,
    Unavailable,
    by_time,
    check,
    failed,
    ok,
    skipped,
    warning,
)
from app.core.errors import EDIT_SETTINGS, START_SERVERS
from app.core.redis import storage_checks
from app.core.redis.address import address, parse
from app.core.redis.redis_cli import redis_cli
from app.core.redis.server_info import info, url

MAX_ROUND_TRIP = 0.03
"""Seconds. A worker calls Redis twice before each request to a source, so a slower Redis keeps it
below the highest rate limit of an upstream service, 15 requests per second."""

PINGS = 5

MIN_VERSION = 5
"""The script of the request budgets reads the time and then writes, which Redis allows since 5.0
(https://redis.io/docs/latest/develop/programmability/eval-intro/, "Script replication")."""


@check(
    "redis.reachable",
    "Redis answers",
    symptom="The worker does not start: `Redis cannot be used`, with connection refused or"
    " `NOAUTH`.",
    why="Redis holds the wake-ups and the request budgets. Without it, workers can neither start"
    " runs nor send requests to the sources.",
    needs=("config.valid",),
)
async def reachable(context: Context) -> Finding:
    """Measure several replies. The fastest one counts, since this process may be busy."""
    from redis.exceptions import RedisError

    if not context.settings.use_arq_worker:
        return skipped("not used: USE_ARQ_WORKER is False, so the API executes runs")
    fastest = float("inf")
    try:
        for _ in range(PINGS):
            started = time.perf_counter()
            await context.redis().ping()
            fastest = min(fastest, time.perf_counter() - started)
    except (RedisError, OSError) as error:
        # Redis refuses even PING while it cannot write its files, which `redis.persistence` reports
        if "MISCONF" in str(error):
            return ok(f"{address(url(context))} answers, and refuses writes")
        return _unreachable(context, error)
    if fastest > MAX_ROUND_TRIP:
        return by_time(
            warning(
                f"Redis at {address(url(context))} is slow: {fastest * 1000:.0f} ms per answer",
                required=f"at most {MAX_ROUND_TRIP * 1000:.0f} ms, so that workers reach the rate"
                " limits of the sources",
                found=f"{fastest * 1000:.0f} ms for the fastest of {PINGS} answers",
                remedy=redis_cli(url(context), "--latency"),
            )
        )
    return ok(f"{address(url(context))} answers in {fastest * 1000:.1f} ms")


def _unreachable(context: Context, error: Exception) -> Finding:
    from redis.exceptions import AuthenticationError, NoPermissionError
    from redis.exceptions import TimeoutError as RedisTimeoutError

    known, at = parse(url(context)), address(url(context))
    if isinstance(error, AuthenticationError | NoPermissionError):
        return failed(
            f"Redis at {at} refuses the user or the password in REDIS_URL",
            required="REDIS_URL=redis://user:password@host:6379/0, with %25 for each % in the"
            " password",
            found=str(error),
            remedy=EDIT_SETTINGS,
        )
    here = known.path is not None or _is_loopback(known.hosts[0][0])
    found = failed(
        f"Redis cannot be reached at {at}",
        required="a running Redis at the address in REDIS_URL",
        found=str(error).partition("\n")[0] or type(error).__name__,
        remedy=START_SERVERS if here else EDIT_SETTINGS,
    )
    return by_time(found) if isinstance(error, RedisTimeoutError) else found


@check(
    "redis.primary",
    "Redis is a primary of version 5 or later, and not part of a cluster",
    symptom="Runs stay queued: `READONLY You can't write against a read only replica`; or the"
    " worker does not start: `this is a Redis Cluster`.",
    why="A replica refuses writes, so no wake-up can be sent and no request to a source counted. A"
    " Redis Cluster cannot change the keys of a job in one step, and a Redis before 5.0 refuses"
    " the script that counts the requests. Set REDIS_URL to another server.",
    needs=("redis.reachable",),
    remedy=EDIT_SETTINGS,
)
async def primary(context: Context) -> Finding:
    """Read the version, the mode and the role."""
    about = await info(context)
    found, role, at = str(about["redis_version"]), about.get("role"), address(url(context))
    if int(found.partition(".")[0]) < MIN_VERSION:
        return failed(
            f"Redis {found} at {at} is too old",
            required=f"Redis {MIN_VERSION}.0 or later",
            found=found,
            remedy="sudo apt-get install redis-server",
        )
    if about.get("redis_mode") == "cluster":
        return failed(
            f"Redis at {at} is a Redis Cluster",
            required="REDIS_URL names one server, or several under Sentinel",
            found="redis_mode cluster",
        )
    if role == "master":
        return ok(f"Redis {found} is a primary")
    target = f"{about.get('master_host')}:{about.get('master_port')}"
    return failed(
        f"Redis at {at} is a replica of {target}",
        required=f"REDIS_URL names the primary, {target}",
        found=f"role {role}",
    )


@check(
    "redis.exposed",
    "Redis cannot be used without a password",
    symptom="Other machines can use Redis without a password.",
    why="Everybody who can use Redis can enqueue jobs, and can make Redis write files with the"
    " command CONFIG SET dir.",
    needs=("redis.reachable",),
)
async def exposed(context: Context) -> Finding:
    """Connect without a password. If that succeeds, find out whether other machines can as well."""
    known = parse(url(context))
    if known.path is not None:
        return ok("Redis listens on a socket file, which has permissions of its own")
    if known.service is not None:
        return skipped("not checked for servers under Sentinel")
    if not await _admits_anybody(context):
        return ok("Redis asks for a password")
    here = _is_loopback(known.hosts[0][0])
    if here and not await _is_open(context):
        return ok("Redis asks for no password, and other machines cannot connect")
    setting = ("protected-mode", "yes") if here else ("requirepass", "CHANGE-ME")
    return failed(
        f"any machine that reaches {known} can use Redis without a password",
        required="`requirepass` or users in redis.conf, with the password in REDIS_URL; or"
        " `bind 127.0.0.1` and `protected-mode yes` if only this machine uses Redis",
        found="Redis asks for no password",
        remedy=redis_cli(url(context), "CONFIG", "SET", *setting),
    )


async def _admits_anybody(context: Context) -> bool:
    from dataclasses import replace

    from redis.asyncio import Redis
    from redis.exceptions import AuthenticationError, NoPermissionError

    from app.core.redis.pool import pool_of

    known = replace(parse(url(context)), username=None, password=None)
    timeouts = dict.fromkeys(("socket_timeout", "socket_connect_timeout"), context.answer_timeout)
    client = Redis.from_pool(pool_of(known, **timeouts))
    try:
        await client.ping()
    except NoPermissionError:
        return True
    except AuthenticationError:
        return False
    finally:
        await client.aclose()
    return True


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


async def _is_open(context: Context) -> bool:
    """Return whether a Redis without a password accepts connections from other machines."""
    from redis.exceptions import ResponseError

    redis = context.redis()
    try:
        bind, mode = [
            next(iter((await redis.config_get(name)).values()), "")
            for name in ("bind", "protected-mode")
        ]
    except ResponseError:
        raise Unavailable("the user in REDIS_URL has no permission for CONFIG GET") from None
    addresses = [address.lstrip("-") for address in bind.split()]
    major = int(str((await info(context))["redis_version"]).partition(".")[0])
    # before Redis 7, an explicit `bind` switches protected-mode off (redis.conf of 6.2 and of 7.0)
    protected = mode == "yes" and (major >= 7 or not addresses)  # noqa: PLR2004 - a version
    return not protected and not (addresses and all(map(_is_loopback, addresses)))


@check(
    "redis.shared",
    "no other installation uses the Redis database",
    symptom="The worker does not start, or logs that another installation uses this Redis"
    " database.",
    why="The keys of arq do not name the installation. Two installations take each other's"
    " wake-ups and jobs, so runs start late, and a client's job may become a run of the other"
    " installation. Set another database in REDIS_URL.",
    needs=("redis.reachable", "database.migrated"),
    remedy=EDIT_SETTINGS,
)
async def shared(context: Context) -> Finding:
    """Compare the mark that the workers renew in Redis with this installation's mark."""
    from redis.exceptions import ResponseError
    from sqlalchemy import text
    from sqlalchemy.exc import ProgrammingError

    from app.core.redis.installation import IDENTITY, KEY, read

    try:
        there = read(await context.redis().get(KEY))
        mine = (await context.rows(text(IDENTITY)))[0]
    except ResponseError as error:
        raise Unavailable(f"Redis does not return the mark of the installation: {error}") from None
    except ProgrammingError:
        raise Unavailable("the PostgreSQL role may not identify its server") from None
    if there is None:
        return ok("no worker has left its mark there")
    if there.id == mine.id:
        return ok(f"the mark is that of the PostgreSQL database {mine.database}")
    return failed(
        f"another installation uses the Redis database at {address(url(context))}",
        required="a Redis database or server for each installation, as in"
        " REDIS_URL=redis://host:6379/1; restart the workers and the API after the change",
        found=str(there),
    )


CHECKS: tuple[Check, ...] = (
    reachable,
    primary,
    *storage_checks.CHECKS,
    exposed,
    shared,
)
