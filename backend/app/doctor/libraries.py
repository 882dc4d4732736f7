import importlib
from collections.abc import Iterable

from app.doctor.check import Check

_OF_GROUPS = {
    "redis": ("redis.asyncio", "app.core.redis.pool"),
    "worker": ("psycopg", "redis.asyncio", "app.core.redis.pool"),
    "database": ("psycopg",),
    "runs": ("psycopg",),
    "upstream": ("httpx", "redis.asyncio", "app.doctor.checks.upstream.probes"),
}
"""What the checks of a group import when they run. The others do without, or nearly so."""


def load_libraries(checks: Iterable[Check]) -> None:
    """Import what the checks need, before their time begins.

    An import holds the event loop up, for seconds on a busy machine, and all that is waited for
    meanwhile would look slow. One that fails is for the checks to report.
    """
    for name in dict.fromkeys(n for c in checks for n in _OF_GROUPS.get(c.group, ())):
        try:
            importlib.import_module(name)
        except ImportError:
            continue
