"""Requests without a wait for the rates of the services, for tests of something else."""

from app.core.redis.rate_limits import LocalRateLimiter


class Hurried(LocalRateLimiter):
    """Keeps a pause that a service asks for, and no rate worth mentioning.

    A run of all sources would wait for seconds, which shows nothing of the run.
    """

    def __init__(self) -> None:
        super().__init__(window=0)

    async def acquire(self, budget: str, rate: float) -> None:
        await super().acquire(budget, 1_000 * rate)
