"""Whether what Redis says of the request budgets can be read, and can be true."""

from app.doctor.check import Finding, check, ok, warning
from app.doctor.checks.commands import redis_cli
from app.doctor.checks.words import some
from app.doctor.checks.worker.queue import scan
from app.doctor.context import Context, Unavailable

_FIELDS = ("next", "paused")

_DIGITS = 16
"""Of a moment in microseconds; a longer number is none."""


@check(
    "redis.budgets",
    "the request budgets in Redis can be true",
    symptom="The worker logs that Redis would hold a request up, and runs are slower than before.",
    why="Another program, or a clock that was once wrong, has written what cannot be a budget."
    " Workers do not believe it: each goes by its own count, so that several of them together may"
    " exceed the service's limit.",
    needs=("redis.reachable",),
)
async def budgets(context: Context) -> Finding:
    """Read every budget as the workers do."""
    from redis.exceptions import NoPermissionError

    from app.core.redis.rate_limits import KEY, LONGEST_PAUSE

    redis = context.redis()
    try:
        now = (await redis.time())[0]
        keys = sorted([key async for key in scan(context, KEY.format("*"))])
        wrong = {key: why for key in keys if (why := await _problem(context, key, now))}
    except NoPermissionError:
        raise Unavailable("the user of REDIS_URL may not read the budgets") from None
    if not wrong:
        return ok(f"{len(keys)} budgets" if keys else "none is in use")
    names = {key.decode(errors="backslashreplace"): why for key, why in wrong.items()}
    return warning(
        f"{len(names)} of {len(keys)} request budgets cannot be true",
        required=f"hashes with moments in microseconds, at most {LONGEST_PAUSE:.0f} s ahead of"
        " Redis' clock",
        found=some([f"{name}: {why}" for name, why in names.items()]),
        remedy=redis_cli(context, "DEL", *list(names)[:20]),
    )


async def _problem(context: Context, key: bytes, now: int) -> str | None:
    """Say what is wrong with a budget."""
    from redis.exceptions import NoPermissionError, ResponseError

    from app.core.redis.rate_limits import LONGEST_PAUSE

    try:
        # as it stands in redis-py, `hmget` takes no bytes
        values = await context.redis().execute_command("HMGET", key, *_FIELDS)  # type: ignore[no-untyped-call]
    except NoPermissionError:
        raise
    except ResponseError:
        return "it is no hash"
    for field, value in zip(_FIELDS, values, strict=True):
        if value is None:
            continue
        # "digits" of other scripts are no bytes that isdigit knows
        if not value.isdigit() or len(value) > _DIGITS:
            return f"{field} is {value[:40]!r}"
        if int(value) > (now + LONGEST_PAUSE) * 1_000_000:
            return f"{field} is {int(value) / 1_000_000 - now:,.0f} s ahead"
    return None


CHECKS = (budgets,)
