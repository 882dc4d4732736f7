"""A worker of plain arq, as its documentation shows one: `arq bench.recovery.plain.WorkerSettings`.

Everything but the timeout is arq's default: 5 tries, no wait for jobs at a stop, pickle, its own
queue.
"""

import os
from typing import Any, ClassVar

from arq.connections import RedisSettings

from bench.recovery import steps

TIMEOUT = 20


async def all_steps(_: dict[str, Any]) -> int:
    """Do the job from its beginning, which is where arq begins a job that it runs again."""
    for number in range(steps.STEPS):
        await steps.do(number)
    return steps.STEPS


class WorkerSettings:
    """Read by arq."""

    functions: ClassVar[list[Any]] = [all_steps]
    redis_settings = RedisSettings.from_dsn(os.environ["REDIS_URL"])
    job_timeout = TIMEOUT
