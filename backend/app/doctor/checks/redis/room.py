"""Whether Redis has room for what is to come, and the same time as we."""

import time

from app.doctor.check import Finding, check, failed, ok, warning
from app.doctor.checks.commands import redis_cli
from app.doctor.checks.redis.server import info
from app.doctor.checks.words import size, span
from app.doctor.context import Context, Unavailable

FULL, FULLER = 0.80, 0.95
"""Shares of the memory limit in use that are worth a warning, and that are a failure."""

CLIENTS_OF_A_PROCESS = 60
"""The most connections a worker opens: three clients of 20 (``app/core/arq/client.py``)."""

SPARE_CLIENTS = 10
"""With fewer left, the next process that starts may be refused."""

SKEW, SKEWED = 2.0, 30.0
"""Seconds between two clocks that are worth a warning, and that are a failure."""


@check(
    "redis.memory",
    "Redis has memory left",
    symptom="Nothing is picked up: `OOM command not allowed`.",
    why="A Redis that may take no more refuses every write (OOM): bells are not rung, and attempts"
    " go back to the queue.",
    needs=("redis.reachable",),
)
async def memory(context: Context) -> Finding:
    """Compare what is used with the limit; without one, with the machine's memory."""
    about = await info(context)
    used, limit = int(about["used_memory"]), int(about.get("maxmemory") or 0)
    if not limit:
        machine = int(about.get("total_system_memory") or 0)
        if machine and used > FULLER * machine:
            return failed(
                f"Redis has nearly all of its machine's memory: {size(used)}",
                required=f"less than {FULLER:.0%} of {size(machine)}",
                found=f"{size(used)}, and no maxmemory",
                remedy=redis_cli(context, "--bigkeys"),
            )
        return ok(f"{size(used)} used, no limit set")
    share = used / limit
    if share < FULL:
        return ok(f"{size(used)} of {size(limit)} used")
    say = failed if share >= FULLER else warning
    return say(
        f"Redis has used {share:.0%} of its memory",
        required=f"less than {FULL:.0%} of maxmemory",
        found=f"{size(used)} of {size(limit)}; `maxmemory` in redis.conf",
        remedy=redis_cli(context, "CONFIG", "SET", "maxmemory", str(max(2 * used, 2 * limit))),
    )


@check(
    "redis.clients",
    "Redis accepts more connections",
    symptom="The worker does not start: `max number of clients reached`.",
    why="Above maxclients Redis refuses connections: a worker that starts then cannot.",
    needs=("redis.reachable",),
)
async def clients(context: Context) -> Finding:
    """Compare the connections with the limit."""
    about = await info(context)
    used, most = int(about["connected_clients"]), int(about.get("maxclients") or 0)
    if not most:
        return ok(f"{used} connections; this Redis does not say how many it takes")
    left = most - used
    if left >= CLIENTS_OF_A_PROCESS:
        return ok(f"{used} of {most} connections used")
    say = failed if left < SPARE_CLIENTS else warning
    return say(
        f"Redis takes only {left} more connections",
        required=f"{CLIENTS_OF_A_PROCESS} for one more worker",
        found=f"{used} of {most} used; `maxclients` in redis.conf",
        remedy=redis_cli(context, "CONFIG", "SET", "maxclients", str(max(1_000, 2 * most))),
    )


def judge_clock(whose: str, ahead: float, give_or_take: float, why: str) -> Finding:
    """Say how far a server's clock is from this machine's.

    Args:
        whose: the server.
        ahead: seconds by which its clock is ahead of ours.
        give_or_take: seconds by which that may be wrong, half of the way there and back.
        why: what goes by it.
    """
    off = max(0.0, abs(ahead) - give_or_take)
    if off < SKEW:
        return ok(f"{whose}'s clock and ours are {off * 1000:.0f} ms apart")
    say = failed if off >= SKEWED else warning
    return say(
        f"{whose}'s clock is {span(off)} {'ahead of' if ahead > 0 else 'behind'} this machine's",
        required=f"less than {SKEW:.0f} s between the two: {why}",
        found=f"{span(off)}; either may be the wrong one",
        remedy="sudo timedatectl set-ntp true",
    )


@check(
    "redis.clock",
    "Redis and this machine have the same time",
    symptom="Deferred jobs of clients are done early or late, and logs of two machines do not fit"
    " together.",
    why="A client that defers a job says until when by its own clock, and Redis' clock decides when"
    " that is; and logs cannot be compared. Runs are not delayed.",
    needs=("redis.reachable",),
)
async def clock(context: Context) -> Finding:
    """Ask for the time, and take the middle of the round trip for the moment of the answer."""
    from redis.exceptions import NoPermissionError

    redis = context.redis()
    try:
        # the first answer may have to wait for a connection
        await redis.time()
        before = time.time()
        seconds, micro = await redis.time()
        after = time.time()
    except NoPermissionError:
        raise Unavailable("the user of REDIS_URL may not use TIME") from None
    ahead = seconds + micro / 1e6 - (before + after) / 2
    return judge_clock("Redis", ahead, (after - before) / 2, "deferred jobs carry times")


CHECKS = (memory, clients, clock)
