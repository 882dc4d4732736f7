"""A worker of plain arq, as its documentation shows one: `arq bench.recovery.plain.WorkerSettings`.

Except for the timeout, it uses arq's defaults: 5 tries, no wait for jobs at a stop, pickles, and
arq's queue.
"""

import os
from typing import Any, ClassVar

from arq.connections import RedisSettings

from bench.recovery import steps

TIMEOUT = 20


async def all_steps(_: dict[str, Any]) -> int:
    """Execute all steps from the first one, where arq starts every try of a job."""
    for number in range(steps.STEPS):
        await steps.do(number)
    return steps.STEPS


class WorkerSettings:
    """The settings that arq reads."""

    functions: ClassVar[list[Any]] = [all_steps]
    redis_settings = RedisSettings.from_dsn(os.environ["REDIS_URL"])
    job_timeout = TIMEOUT
