from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Request
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from app.annotation.settings import Settings
from app.api.export_slots import ExportSlots
from app.api.probes import Probes
from app.api.streams import StreamSlots
from app.core.redis.budgets import Budgets
from app.core.redis.rate_limits import LocalRateLimiter, RateLimiter
from app.core.workers.dispatcher import Dispatcher
from app.doctor.kept import KeptResults


@dataclass(frozen=True, slots=True)
class Services:
    """The services that the routes use. They are created when the API starts.

    Attributes:
        db: PostgreSQL, for requests.
        reads: the same pool in autocommit mode, which halves the round trips of a read.
        probes: the queries of the health checks and the metrics, on separate connections.
        dispatcher: sends wake-ups.
        redis: the Redis of the arq workers; None if the API executes runs itself.
        settings: the settings of the sources.
        budgets: the request budgets of the processes that execute the runs.
        limiter: the same budgets, for the requests that this process sends.
        doctor: the latest results of the checks in this process.
        export_slots: limits the number of concurrent exports.
        streams: limits the number of concurrent streams, each of which occupies a connection of
            the pool until its end.
    """

    db: AsyncEngine
    reads: AsyncEngine
    probes: Probes
    dispatcher: Dispatcher
    redis: Redis | None
    settings: Settings
    budgets: Budgets | None = None
    limiter: RateLimiter = field(default_factory=LocalRateLimiter)
    doctor: KeptResults = field(default_factory=KeptResults)
    export_slots: ExportSlots = field(default_factory=ExportSlots)
    streams: StreamSlots = field(default_factory=StreamSlots)

    @property
    def enabled_sources(self) -> Sequence[str]:
        """The sources that a run of all sources covers."""
        return self.settings.enabled_sources


async def _services(request: Request) -> Services:
    # async, because FastAPI would call a plain function in a thread
    services: Services = request.app.state.services
    return services


ServicesDep = Annotated[Services, Depends(_services)]
"""The type of a route's parameter that receives the services."""
