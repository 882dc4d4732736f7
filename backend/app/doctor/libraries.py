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
"""The modules that the checks of a group import when they run."""

MAX_SLOWNESS = 5.0


def load_libraries(checks: Iterable[Check]) -> float:
    """Import the modules that the checks need, as an import during a check blocks the event loop.

    This ignores a failed import, which the check itself reports.

    Returns:
        The elapsed time of the imports, divided by the processor time that they used: 1 on an idle
        machine, and up to 5 on one where other processes compete for the processor.
    """
    wall, used = time.monotonic(), time.process_time()
    for name in dict.fromkeys(n for c in checks for n in _OF_GROUPS.get(c.group, ())):
        try:
            importlib.import_module(name)
        except ImportError:
            continue
    wall, used = time.monotonic() - wall, time.process_time() - used
    return min(MAX_SLOWNESS, max(1.0, wall / max(used, 0.05)))
