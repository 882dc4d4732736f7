"""Reads the INFO of Redis for the checks."""

from typing import Any

from app.core.checks import Context, Unavailable


def url(context: Context) -> str:
    """Return the address of Redis, including its password."""
    return context.settings.redis_url.get_secret_value()


async def info(context: Context) -> dict[str, Any]:
    """Return the INFO of Redis.

    Raises:
        Unavailable: the user has no permission for INFO.
    """
    from redis.exceptions import NoPermissionError

    try:
        found: dict[str, Any] = await context.redis().info()
    except NoPermissionError:
        raise Unavailable("the user in REDIS_URL has no permission for INFO") from None
    return found
