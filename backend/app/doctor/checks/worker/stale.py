"""Whether arq has forgotten attempts that are over."""

import asyncio

from app.doctor.check import Finding, check, ok, warning
from app.doctor.checks.postgres import rows
from app.doctor.checks.words import some
from app.doctor.checks.worker.queue import scan
from app.doctor.context import Context

KINDS = ("in-progress", "job", "retry", "result")
"""What arq keeps of a job: ``arq:<kind>:<id>`` (``arq/constants.py``)."""

MOMENT = 0.5
"""Seconds in which an attempt that has just ended is forgotten by arq itself."""


async def find(context: Context) -> dict[str, list[str]]:
    """Return the keys of bells whose attempt is over, by the bell's id."""
    found: dict[str, list[str]] = {}
    async for raw in scan(context, "arq:*"):
        key = raw.decode(errors="replace")
        kind, _, id_ = key.removeprefix("arq:").partition(":")
        run, _, epoch = id_.partition(":")
        if kind in KINDS and run.isdecimal() and epoch.isdecimal():
            found.setdefault(id_, []).append(key)
    if not found:
        return {}
    active = await rows(
        context, "SELECT id || ':' || epoch AS id FROM runs WHERE state IN ('queued', 'running')"
    )
    current = {each.id for each in active}
    return {id_: keys for id_, keys in found.items() if id_ not in current}


async def forget(context: Context) -> str | None:
    """Remove what arq keeps of attempts that are over."""
    found = await find(context)
    if not found:
        return None
    keys = [key for each in found.values() for key in each]
    redis = context.redis()
    await redis.zrem(context.settings.arq_queue_name, *found)
    await redis.delete(*keys)
    return f"removed {len(keys)} keys of {len(found)} bells whose attempts are over"


@check(
    "worker.stale-keys",
    "arq keeps nothing of attempts that are over",
    symptom="Redis keeps `arq:in-progress` keys of a worker that was killed.",
    why="A worker that was killed leaves arq's mark that its job is in progress, for up to six"
    " hours: it stands at the head of the queue and is looked at again and again.",
    needs=("redis.reachable", "database.migrated"),
    remedy="just doctor --fix --only worker.stale-keys",
    fix=forget,
)
async def stale_keys(context: Context) -> Finding:
    """Look twice: an attempt that ends at this moment has keys for some milliseconds more."""
    first = await find(context)
    if first:
        await asyncio.sleep(MOMENT)
        first = {id_: keys for id_, keys in (await find(context)).items() if id_ in first}
    if not first:
        return ok("none")
    return warning(
        f"{sum(map(len, first.values()))} keys of {len(first)} attempts that are over",
        required="keys of queued and running attempts only",
        found=some([key for keys in first.values() for key in keys]),
    )


CHECKS = (stale_keys,)
