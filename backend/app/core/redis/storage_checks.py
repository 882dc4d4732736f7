"""The checks of Redis' memory and persistence."""

from app.core.checks import Check, Context, Finding, check, failed, ok, warning
from app.core.redis.redis_cli import redis_cli
from app.core.redis.server_info import info, url
from app.core.text.words import size

WARNING_SHARE, FAILURE_SHARE = 0.80, 0.95
"""Shares of the memory limit: the check warns from the first one, and fails from the second one."""


async def _set(context: Context, name: str, value: str) -> str | None:
    redis = context.redis()
    before = (await redis.config_get(name))[name]
    if before == value:
        return None
    await redis.config_set(name, value)
    return (
        f"set {name} to {value} in the running Redis (it was {before});"
        f" to keep this after a restart, add `{name} {value}` to redis.conf"
    )


async def _set_noeviction(context: Context) -> str | None:
    return await _set(context, "maxmemory-policy", "noeviction")


async def _set_appendonly(context: Context) -> str | None:
    return await _set(context, "appendonly", "yes")


@check(
    "redis.maxmemory-policy",
    "Redis evicts nothing",
    symptom="Jobs of clients disappear, or sources often answer 429.",
    why="Unless maxmemory-policy is noeviction, a full Redis silently drops wake-ups, jobs and"
    " request budgets. Then jobs of clients are lost, and workers exceed the rate limits of the"
    " sources.",
    needs=("redis.reachable",),
    fix=_set_noeviction,
)
async def policy(context: Context) -> Finding:
    """Read the policy. It matters even without a memory limit, since a limit can be set later."""
    found = str((await info(context)).get("maxmemory_policy"))
    if found == "noeviction":
        return ok("maxmemory-policy is noeviction")
    return failed(
        f"maxmemory-policy is {found}",
        required="`maxmemory-policy noeviction` in redis.conf",
        found=found,
    )


@check(
    "redis.persistence",
    "Redis writes its data to disk",
    symptom="Jobs of clients are gone after a crash of Redis, or Redis refuses writes: `MISCONF`.",
    why="Without the append-only file, a crash of Redis loses the jobs of clients and the state of"
    " the request budgets. Wake-ups are sent again. A Redis that cannot write its files refuses all"
    " commands.",
    needs=("redis.reachable",),
    fix=_set_appendonly,
)
async def persistence(context: Context) -> Finding:
    """Read whether the append-only file is on, and whether the last writes succeeded."""
    about = await info(context)
    broken = [
        name
        for name in ("aof_last_write_status", "rdb_last_bgsave_status", "aof_last_bgrewrite_status")
        if about.get(name, "ok") != "ok"
    ]
    if broken:
        again = "BGREWRITEAOF" if broken == ["aof_last_bgrewrite_status"] else "BGSAVE"
        return failed(
            "Redis could not write its files",
            required="free space on the disk, and permission to write to the directory `dir` of"
            " redis.conf",
            found=", ".join(f"{name} {about[name]}" for name in broken),
            remedy=redis_cli(url(context), again),
        )
    if not about.get("aof_enabled"):
        return warning(
            "the append-only file is off",
            required="`appendonly yes` in redis.conf",
            found="appendonly no",
        )
    return ok("the append-only file is on, and the last write succeeded")


@check(
    "redis.memory",
    "Redis has free memory",
    symptom="Runs stay queued: `OOM command not allowed`.",
    why="When its memory is full, Redis refuses all writes: no wake-up can be sent, and attempts"
    " return their runs to the queue.",
    needs=("redis.reachable",),
)
async def memory(context: Context) -> Finding:
    """Compare the memory in use with the limit, or with the machine's memory if there is none."""
    about = await info(context)
    used, limit = int(about["used_memory"]), int(about.get("maxmemory") or 0)
    available = limit or int(about.get("total_system_memory") or 0)
    share = used / available if available else 0.0
    if share < (WARNING_SHARE if limit else FAILURE_SHARE):
        return ok(f"{size(used)} used, {f'of {size(limit)}' if limit else 'without a limit'}")
    raise_limit = redis_cli(url(context), "CONFIG", "SET", "maxmemory", str(2 * limit))
    report = failed if share >= FAILURE_SHARE else warning
    return report(
        f"Redis uses {share:.0%} of {'its memory limit' if limit else 'the memory of its machine'}",
        required=f"less than {WARNING_SHARE if limit else FAILURE_SHARE:.0%} of {size(available)}",
        found=f"{size(used)}; the limit is `maxmemory` in redis.conf",
        remedy=raise_limit if limit else redis_cli(url(context), "--bigkeys"),
    )


CHECKS: tuple[Check, ...] = (policy, persistence, memory)
