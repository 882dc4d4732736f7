from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from app.api.probes import Probes
from app.core.workers.dispatcher import Dispatcher


@dataclass(frozen=True, slots=True)
class Services:
    """What the API works with, made when it starts.

    Attributes:
        db: PostgreSQL, for requests.
        probes: what the probes and the metrics ask, with connections of their own.
        dispatcher: sends wake-ups.
        redis: where arq is; None when the API executes runs itself.
    """

    db: AsyncEngine
    probes: Probes
    dispatcher: Dispatcher
    redis: Redis | None


def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


Uses = Annotated[Services, Depends(_services)]
"""What a route that needs them asks for."""
