import importlib
import time
from collections.abc import Iterable

from app.core.checks import Check

_OF_GROUPS = {
    "redis": ("redis.asyncio", "app.core.redis.pool", "app.db.engine"),
    "worker": ("app.db.engine", "app.core.postgres.schema"),
    "database": ("app.db.engine", "app.core.postgres.schema"),
    "runs": ("app.db.engine", "app.core.postgres.schema", "app.annotation.sources"),
    "traces": ("httpx",),
    "upstream": ("httpx", "redis.asyncio", "app.doctor.checks.upstream.asking"),
}
"""What the checks of a group import when they run."""

MAX_SLOWNESS = 5.0


def load_libraries(checks: Iterable[Check]) -> float:
    """Import what the checks need before their time starts, as an import blocks the event loop.

    A failed import is left to the checks to report.

    Returns:
        How many times longer the imports took than the processor time that they used: 1 on an idle
        machine, and more on one where other processes want the processor, up to 5.
    """
    wall, used = time.monotonic(), time.process_time()
    for name in dict.fromkeys(n for c in checks for n in _OF_GROUPS.get(c.group, ())):
        try:
            importlib.import_module(name)
        except ImportError:
            continue
    wall, used = time.monotonic() - wall, time.process_time() - used
    return min(MAX_SLOWNESS, max(1.0, wall / max(used, 0.05)))
