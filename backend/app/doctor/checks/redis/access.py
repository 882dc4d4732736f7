"""Who gets into Redis, and whether our tools agree on the password."""

from dataclasses import dataclass, replace
from ipaddress import ip_address
from urllib.parse import unquote

from app.core.redis.address import parse
from app.doctor.check import Finding, check, failed, ok, skipped, warning
from app.doctor.checks.commands import redis_cli
from app.doctor.checks.redis.server import info, where
from app.doctor.context import PATIENCE, Context

_PROTECTED_WITH_BIND = 7
"""Before Redis 7, ``protected-mode`` was of no effect beside an explicit ``bind`` (compare what
redis.conf of 6.2 and of 7.0 say of it)."""


@check(
    "redis.password",
    "the password in REDIS_URL means the same to everybody",
    symptom="A script with arq's `RedisSettings.from_dsn` is refused, and the worker is not.",
    why="This project decodes %XX in REDIS_URL, as redis-py does. arq's own"
    " `RedisSettings.from_dsn` does not: a script that uses it is refused.",
    needs=("config.valid",),
)
async def password(context: Context) -> Finding:
    """Compare the password as it stands with what it decodes to; ask Redis when it matters."""
    if not context.settings.use_arq_worker:
        return skipped("not used: USE_ARQ_WORKER is False")
    url = context.settings.redis_url.get_secret_value()
    known = parse(url)
    if known.service is not None:
        return ok("arq's from_dsn knows no sentinels, so nobody uses it here")
    user, _, raw = url.partition("://")[2].rpartition("@")[0].partition(":")
    if unquote(raw) == raw and unquote(user) == user:
        return ok("no %XX in it" if known.password else "there is none")
    if not await _lets_in(context) and await _lets_in(context, (user, raw)):
        return failed(
            "the password in REDIS_URL has a % that is not written %25",
            required="REDIS_URL with %25 for each % of the password",
            found="Redis takes the password as it stands, and not decoded",
            remedy="sed -i '/^REDIS_URL=/s/%/%25/g' .env",
        )
    return warning(
        "the password in REDIS_URL is percent-encoded: fine here, and not for arq's from_dsn",
        required="a password of letters, digits, - and _, where scripts of yours use from_dsn;"
        " or in these `redis.asyncio.connection.parse_url`, which decodes",
        found="%XX in the user or the password",
        remedy="python3 -c 'import secrets; print(secrets.token_urlsafe(24))'",
    )


async def _lets_in(context: Context, login: tuple[str, str] | None = None) -> bool:
    """Tell whether Redis lets in who names the user and password of REDIS_URL, or others."""
    from redis.asyncio import Redis
    from redis.exceptions import AuthenticationError, NoPermissionError, RedisError
    from redis.exceptions import TimeoutError as RedisTimeoutError

    from app.core.redis.pool import pool_of

    known = parse(context.settings.redis_url.get_secret_value())
    if login is not None:
        known = replace(known, username=login[0], password=login[1])
    patience = context.within(PATIENCE)
    client = Redis.from_pool(
        pool_of(known, socket_timeout=patience, socket_connect_timeout=patience)
    )
    try:
        await client.ping()
    except NoPermissionError:
        return True
    except RedisTimeoutError:
        # who was not answered in time was not kept out
        raise
    except (AuthenticationError, RedisError, OSError):
        return False
    finally:
        await client.aclose()
    return True


@check(
    "redis.exposed",
    "nobody gets into Redis without a password",
    symptom="Other machines get into Redis without a password.",
    why="Who may talk to Redis may enqueue jobs, and may have it write files (CONFIG SET dir) as"
    " the user it runs as.",
    needs=("redis.reachable",),
)
async def exposed(context: Context) -> Finding:
    """Try to get in as nobody; if that works, look whether the network can do it too."""
    known = parse(context.settings.redis_url.get_secret_value())
    if known.path is not None:
        return ok("a socket file, guarded by its permissions")
    if known.service is not None:
        return skipped("servers that sentinels name are not tried one by one")
    if not await _lets_in(context, ("", "")):
        return ok("it asks for a password")
    settings = await _listening(context)
    local = _is_loopback(known.hosts[0][0])
    if local and settings is None:
        return skipped(
            "no password is asked for here; what the network may do cannot be seen, as the user of"
            " REDIS_URL may not use CONFIG GET"
        )
    if local and settings is not None and not settings.open:
        return ok("no password, and the network is not let in")
    mendable = local and settings is not None and settings.heeds_protected_mode
    setting = ("protected-mode", "yes") if mendable else ("requirepass", "CHANGE-ME")
    return failed(
        f"anybody who reaches {where(context)} over the network gets in",
        required="`requirepass` or users (ACL) in redis.conf, and the password in REDIS_URL; or"
        " `bind 127.0.0.1` and `protected-mode yes` where only this machine uses it",
        found="no password is asked for",
        remedy=redis_cli(context, "CONFIG", "SET", *setting),
    )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class _Listening:
    """How Redis listens."""

    open: bool
    """Another machine is let in without a password."""
    heeds_protected_mode: bool


async def _listening(context: Context) -> _Listening | None:
    """Tell how Redis listens; None when it cannot be seen."""
    from redis.exceptions import ResponseError

    redis = context.redis()
    try:
        bind = _text((await redis.config_get("bind")).get("bind"))
        mode = _text((await redis.config_get("protected-mode")).get("protected-mode"))
    except ResponseError:
        return None
    addresses = [each.lstrip("-") for each in bind.split()]
    only_here = bool(addresses) and all(map(_is_loopback, addresses))
    major = int(str((await info(context))["redis_version"]).split(".")[0])
    heeds = major >= _PROTECTED_WITH_BIND or not addresses
    return _Listening(not only_here and not (mode == "yes" and heeds), heeds)


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value or "")


CHECKS = (password, exposed)
