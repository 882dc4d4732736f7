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
from app.core.workers.dispatcher import Dispatcher
from app.doctor.kept import KeptResults


@dataclass(frozen=True, slots=True)
class Services:
    """What the routes work with. It is created when the API starts.

    Attributes:
        db: PostgreSQL, for requests.
        reads: the same connections, on which each statement is a transaction of its own: a read of
            a gene needs half the round trips.
        probes: the queries of the probes and the metrics, on connections of their own.
        dispatcher: sends wake-ups.
        redis: the Redis of the arq workers, or None if the API executes runs itself.
        settings: of the sources.
        budgets: the request budgets of those who execute the runs.
        doctor: what the checks of this installation found last in this process.
        export_slots: limits the exports at a time.
        streams: of which each occupies one of the connections for requests until its end.
    """

    db: AsyncEngine
    reads: AsyncEngine
    probes: Probes
    dispatcher: Dispatcher
    redis: Redis | None
    settings: Settings
    budgets: Budgets | None = None
    doctor: KeptResults = field(default_factory=KeptResults)
    export_slots: ExportSlots = field(default_factory=ExportSlots)
    streams: StreamSlots = field(default_factory=StreamSlots)

    @property
    def enabled_sources(self) -> Sequence[str]:
        """The sources that a run of all sources covers."""
        return self.settings.enabled_sources


async def _services(request: Request) -> Services:
    # async, because FastAPI calls other functions in a thread
    services: Services = request.app.state.services
    return services


ServicesDep = Annotated[Services, Depends(_services)]
"""The type of a route's parameter that receives the services."""
